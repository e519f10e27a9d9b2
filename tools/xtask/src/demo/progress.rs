//! How far the demo is: a bar on a terminal, a line now and then elsewhere.

use std::io::{IsTerminal, Write};

const WIDTH: usize = 40;

/// Shows the smaller of two peers' progress.
pub struct Progress {
    total: usize,
    done: [usize; 2],
    shown: Option<usize>,
    terminal: bool,
}

impl Progress {
    /// Of `total` transactions.
    pub fn new(total: usize) -> Progress {
        Progress {
            total,
            done: [0, 0],
            shown: None,
            terminal: std::io::stdout().is_terminal(),
        }
    }

    /// A peer holds so many.
    pub fn update(&mut self, peer: usize, done: usize) {
        self.done[peer] = done;
        let least = self.done[0].min(self.done[1]);
        // A terminal is drawn anew with each percent, a log gets a line with each tenth.
        let grain = if self.terminal { 100 } else { 10 };
        let part = least * grain / self.total.max(1);
        if self.shown == Some(part) {
            return;
        }
        self.shown = Some(part);
        if self.terminal {
            let filled = least * WIDTH / self.total.max(1);
            let bar: String = (0..WIDTH)
                .map(|at| if at < filled { '█' } else { '░' })
                .collect();
            print!("\r{bar} {least}/{} ", self.total);
            let _ = std::io::stdout().flush();
        } else {
            println!("{least}/{} transactions at both", self.total);
        }
    }

    /// Ends the bar's line.
    pub fn finish(&mut self) {
        if self.terminal && self.shown.is_some() {
            println!();
        }
    }
}
