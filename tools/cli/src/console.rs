//! The front process's own input and output: what commands print and read ends up here, whether
//! they run here or in a serving process.

use crate::args::Command;
use crate::event::Event;
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::render::Renderer;
use echodb::model::ErrorKind;
use std::fs::File;
use std::io::{BufRead, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// Takes a line that the user entered; `None` at the end of the input.
pub type Answers = Box<dyn Fn(Option<String>) -> bool + Send>;

/// The terminal, or the pipes and files that stand in for it.
pub struct Console {
    renderer: Renderer,
    input: Option<PathBuf>,
    file: Option<OutputFile>,
    answers: Option<Answers>,
}

impl Console {
    /// For one command.
    pub fn new(renderer: Renderer, command: &Command) -> Self {
        Console {
            renderer,
            input: command.input_file().cloned(),
            file: None,
            answers: None,
        }
    }

    /// Opens the file that the command's lines go to, if it has one.
    pub fn open_file(&mut self, command: &Command) -> Result<()> {
        self.file = command
            .output_file()
            .map(|path| OutputFile::new(path))
            .transpose()?;
        Ok(())
    }

    /// Who gets what the user enters when asked.
    pub fn send_answers_to(&mut self, answers: Answers) {
        self.answers = Some(answers);
    }

    /// The command's input file, or standard input.
    pub fn open_input(&self) -> Result<Box<dyn Read>> {
        Ok(match &self.input {
            Some(path) => Box::new(open(path)?),
            None => Box::new(std::io::stdin().lock()),
        })
    }

    /// Prints why the command failed.
    pub fn failure(&mut self, failure: &Failure) {
        self.renderer.failure(failure);
    }

    /// Writes out what is buffered.
    pub fn flush(&mut self) -> Result<()> {
        self.renderer.flush()
    }
}

impl Output for Console {
    fn emit(&mut self, event: Event) -> Result<()> {
        match (&event, &mut self.file) {
            (Event::Line(line), Some(file)) => return file.line(line),
            (Event::Exported(_), Some(_)) => {
                if let Some(file) = self.file.take() {
                    file.finish()?;
                }
            }
            _ => {}
        }
        self.renderer.print(&event)
    }

    fn read(&mut self, limit: usize) -> Result<Vec<u8>> {
        let mut data = Vec::new();
        self.open_input()?
            .take(limit as u64 + 1)
            .read_to_end(&mut data)
            .map_err(|error| Failure::storage("the input", error))?;
        check_length(data, limit)
    }

    fn ask(&mut self, again: bool) -> Result<()> {
        self.renderer.prompt(again)?;
        if let Some(answers) = self.answers.take() {
            // Reading a terminal cannot be interrupted, so a thread does it; it ends with the
            // process.
            std::thread::spawn(move || {
                for line in std::io::stdin().lock().lines() {
                    match line {
                        Ok(line) if answers(Some(line.trim().to_owned())) => {}
                        Ok(_) => return,
                        Err(_) => break,
                    }
                }
                answers(None);
            });
        }
        Ok(())
    }
}

/// Refuses input past `limit`.
pub fn check_length(data: Vec<u8>, limit: usize) -> Result<Vec<u8>> {
    match data.len() > limit {
        true => Err(Failure::new(
            ErrorKind::LimitExceeded,
            format!("the input may have {limit} bytes"),
        )),
        false => Ok(data),
    }
}

fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::new(
            ErrorKind::NotFound,
            format!("there is no file {}", path.display()),
        ),
        _ => Failure::storage(path.display(), error),
    })
}

/// A file that appears whole or not at all.
struct OutputFile {
    writer: BufWriter<File>,
    path: PathBuf,
    /// Where the bytes are until the file is whole; `None` for devices and pipes.
    temporary: Option<PathBuf>,
}

impl OutputFile {
    fn new(path: &Path) -> Result<Self> {
        let special = std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file());
        let temporary = (!special).then(|| {
            let mut name = path.file_name().unwrap_or_default().to_owned();
            name.push(format!(".{}.part", std::process::id()));
            path.with_file_name(name)
        });
        let place = temporary.as_deref().unwrap_or(path);
        let file = File::create(place).map_err(|error| Failure::storage(path.display(), error))?;
        Ok(OutputFile {
            writer: BufWriter::new(file),
            path: path.to_owned(),
            temporary,
        })
    }

    fn line(&mut self, line: &str) -> Result<()> {
        writeln!(self.writer, "{line}")
            .map_err(|error| Failure::storage(self.path.display(), error))
    }

    fn finish(mut self) -> Result<()> {
        let fail = |error| Failure::storage(self.path.display(), error);
        self.writer.flush().map_err(fail)?;
        if let Some(temporary) = &self.temporary {
            self.writer.get_ref().sync_all().map_err(fail)?;
            std::fs::rename(temporary, &self.path).map_err(fail)?;
        }
        self.temporary = None;
        Ok(())
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            let _ = std::fs::remove_file(temporary);
        }
    }
}
