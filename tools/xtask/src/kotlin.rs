//! The Kotlin package: bindings from the pinned generator, a jar around them and the library, made
//! by Maven inside the workspace's `target`, and the programs that use it.

use crate::native::{self, LIBRARY};
use crate::run::{Outcome, run, target};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const USAGE: &str =
    "usage: cargo xtask kotlin package [--release] | test | peer | bench [--profile NAME]";

/// `cargo xtask kotlin package [--release] | test | peer | bench [--profile NAME]`.
pub fn main(root: &Path, args: &[String]) -> Outcome<()> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["package"] => println!("{}", package(root, "dev")?.display()),
        ["package", "--release"] => println!("{}", package(root, "dist")?.display()),
        ["test"] => test(root)?,
        ["peer"] => {
            programs(root, "dev")?;
            println!("command:");
            for word in program(root, "dev.echodb.conformance.PeerKt")? {
                println!("{word}");
            }
        }
        ["bench"] => println!("{}", bench(root, "dev")?.trim()),
        ["bench", "--profile", profile] => println!("{}", bench(root, profile)?.trim()),
        _ => return Err(USAGE.into()),
    }
    Ok(())
}

/// The workspace's folder for everything of this package.
fn folder(root: &Path) -> PathBuf {
    target(root).join("kotlin")
}

/// Writes the generated bindings, changed by [`adapt`], and removes what was compiled before: Maven
/// would leave the classes of sources that are gone.
fn generate(root: &Path) -> Outcome<()> {
    for compiled in ["classes", "test-classes"] {
        let compiled = folder(root).join("build").join(compiled);
        if compiled.exists() {
            fs::remove_dir_all(&compiled)?;
        }
    }
    let out = folder(root).join("generated");
    native::generate(root, uniffi::TargetLanguage::Kotlin, &out)?;
    let file = out.join("dev/echodb/ffi").join(format!("{LIBRARY}.kt"));
    let text = fs::read_to_string(&file)?;
    fs::write(&file, adapt(&text)?)?;
    Ok(())
}

/// What is replaced in the generated text, each in one place, and by what.
const REPLACED: [(&str, &str); 4] = [
    // Their warnings concern nobody here.
    (
        "@file:Suppress(\"NAME_SHADOWING\")",
        "@file:Suppress(\"warnings\")",
    ),
    // The wrapper prefers the library in the jar to one that the system has.
    (
        "    return \"echodb\"\n",
        "    return dev.echodb.nativeLibraryName()\n",
    ),
    // Native memory for the outcome of a call costs more than the call: each thread keeps its own, a
    // further one for each call within a call.
    (
        "    var status = UniffiRustCallStatus()
    val return_value = callback(status)
    uniffiCheckCallStatus(errorHandler, status)
    return return_value
}
",
        "    val idle = idleStatuses.get()
    val status = idle.removeLastOrNull() ?: UniffiRustCallStatus()
    status.code = UNIFFI_CALL_SUCCESS
    try {
        val return_value = callback(status)
        uniffiCheckCallStatus(errorHandler, status)
        return return_value
    } finally {
        idle.addLast(status)
    }
}

private val idleStatuses = ThreadLocal.withInitial { ArrayDeque<UniffiRustCallStatus>() }
",
    ),
    // A coroutine may be cancelled when the call has its outcome and has not fetched it yet. That
    // would be lost with everything it holds: an open profile, a subscription, a buffer.
    (
        "    } finally {\n        freeFunc(rustFuture)\n",
        "    } catch (cancelled: kotlinx.coroutines.CancellationException) {
        runCatching {
            liftFunc(uniffiRustCallWithError(errorHandler) { status -> completeFunc(rustFuture, status) })
        }.onSuccess { outcome -> (outcome as? Disposable)?.destroy() }
        throw cancelled
    } finally {
        freeFunc(rustFuture)
",
    ),
];

/// What begins a declaration at the left margin.
const DECLARATIONS: [&str; 11] = [
    "class ",
    "open class ",
    "data class ",
    "enum class ",
    "sealed class ",
    "abstract class ",
    "interface ",
    "object ",
    "fun ",
    "inline fun ",
    "suspend fun ",
];

/// Keeps the generated declarations inside the package, so that programs see the wrapper alone, and
/// makes the changes of [`REPLACED`].
fn adapt(text: &str) -> Outcome<String> {
    let mut adapted = String::with_capacity(text.len());
    for line in text.lines() {
        let bare = line.strip_prefix("public ").unwrap_or(line);
        if DECLARATIONS.iter().any(|start| bare.starts_with(start)) {
            adapted.push_str("internal ");
        }
        adapted.push_str(bare);
        adapted.push('\n');
    }
    // Functions outside classes are laid out differently. Those that are missed do not compile.
    adapted = adapted
        .replace(" */ fun `", " */ internal fun `")
        .replace("::class) fun `", "::class) internal fun `")
        .replace("\n     suspend fun `", "\n     internal suspend fun `");
    for (old, new) in REPLACED {
        if adapted.matches(old).count() != 1 {
            return Err(
                format!("the generated bindings have changed: look again for {old:?}").into(),
            );
        }
        adapted = adapted.replace(old, new);
    }
    adapted.push_str(&callbacks(&adapted)?);
    Ok(adapted)
}

/// A function that gives every callback which the library is handed, so that the wrapper cannot
/// forget one: those of async calls, and those of each interface that programs implement.
fn callbacks(text: &str) -> Outcome<String> {
    let kinds: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("internal interface "))
        .filter_map(|rest| rest.strip_suffix(" : com.sun.jna.Callback {"))
        .collect();
    let mut all = Vec::new();
    let mut interface = "";
    for line in text.lines() {
        let Some(object) = line.trim_start().strip_prefix("internal object ") else {
            continue;
        };
        let nested = line.starts_with(' ');
        let object = object.trim_end_matches(" {");
        match object.split_once(": ") {
            Some((_, kind)) if !kinds.contains(&kind) => {}
            Some((name, _)) if nested => all.push(format!("{interface}.{name}")),
            Some((name, _)) => all.push(name.to_owned()),
            None if nested => {}
            None => interface = object,
        }
    }
    // The free and the clone of an interface stand beside its methods.
    let interfaces = text.matches("internal object uniffiFree: ").count();
    if interfaces == 0 || all.len() <= 3 * interfaces {
        return Err("the generated callbacks have changed: look again for them".into());
    }
    Ok(format!(
        "\ninternal fun generatedCallbacks(): List<Callback> =\n    listOf(\n        {},\n    )\n",
        all.join(",\n        ")
    ))
}

/// Builds the library with the cargo profile `profile`, and puts it where Maven packs it from.
fn library(root: &Path, profile: &str) -> Outcome<()> {
    let built = native::library(root, profile)?;
    let all = folder(root).join("native");
    if all.exists() {
        fs::remove_dir_all(&all)?;
    }
    let folder = all.join(jna_platform()?);
    fs::create_dir_all(&folder)?;
    let name = built.file_name().ok_or("the library has no file name")?;
    fs::copy(&built, folder.join(name))?;
    Ok(())
}

/// The folder in which JNA looks for a library of this machine.
fn jna_platform() -> Outcome<String> {
    let system = match std::env::consts::OS {
        "linux" => "linux",
        "macos" => "darwin",
        "windows" => "win32",
        other => return Err(format!("the jar has no place for libraries of {other}").into()),
    };
    let machine = match std::env::consts::ARCH {
        "x86_64" => "x86-64",
        "x86" => "x86",
        other => other,
    };
    Ok(format!("{system}-{machine}"))
}

/// Maven on the package, with what it does named at the end.
fn maven(root: &Path) -> Command {
    let mut command = Command::new("mvn");
    command
        .current_dir(root.join("bindings/kotlin"))
        .args([
            "--batch-mode",
            "--no-transfer-progress",
            "-Dstyle.color=never",
        ])
        .arg(format!("-Dechodb.target={}", folder(root).display()));
    command
}

/// Builds the jar around a library of the cargo profile `profile`; returns its path.
fn package(root: &Path, profile: &str) -> Outcome<PathBuf> {
    generate(root)?;
    library(root, profile)?;
    run(maven(root).args(["--quiet", "package", "-Dmaven.test.skip"]))?;
    Ok(folder(root).join("build").join(jar()))
}

/// Builds the jar and the programs that use it.
fn programs(root: &Path, profile: &str) -> Outcome<()> {
    generate(root)?;
    library(root, profile)?;
    run(maven(root).args(["--quiet", "package", "-DskipTests"]))?;
    Ok(())
}

/// The words of the command that starts a program, which has the jar and what that depends on.
fn program(root: &Path, class: &str) -> Outcome<Vec<String>> {
    let build = folder(root).join("build");
    let path = [
        build.join("test-classes"),
        build.join(jar()),
        build.join("dependencies/*"),
    ];
    let path = std::env::join_paths(path)?
        .into_string()
        .map_err(|path| format!("{} is not UTF-8", path.display()))?;
    // All that a program of a test needs: several run at once.
    let heap = "-Xmx256m";
    Ok(["java", heap, "-cp", &path, class]
        .map(str::to_owned)
        .into())
}

/// Measures what calls cost, with a library of the cargo profile `profile`; returns the program's
/// JSON.
pub fn bench(root: &Path, profile: &str) -> Outcome<String> {
    programs(root, profile)?;
    let words = program(root, "dev.echodb.benchmarks.CallsKt")?;
    run(Command::new(&words[0]).args(&words[1..]))
}

/// The jar's name.
fn jar() -> String {
    format!("echo-db-{}.jar", env!("CARGO_PKG_VERSION"))
}

/// Builds the jar and runs the package's tests on it.
fn test(root: &Path) -> Outcome<()> {
    generate(root)?;
    library(root, "dev")?;
    let signal = native::signal(root)?;
    let status = maven(root)
        .arg("verify")
        .arg(format!("-Dechodb.signal={}", signal.display()))
        .status()?;
    match status.success() {
        true => Ok(()),
        false => Err("the Kotlin tests failed".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLBACKS: &str = "interface UniffiContinuation : com.sun.jna.Callback {
}
interface UniffiMethod0 : com.sun.jna.Callback {
}
interface UniffiFree : com.sun.jna.Callback {
}
interface UniffiClone : com.sun.jna.Callback {
}
object poll: UniffiContinuation {
}
object other: UniffiHandler {
}
object uniffiListener {
    internal object `changed`: UniffiMethod0 {
    }
    internal object uniffiFree: UniffiFree {
    }
    internal object uniffiClone: UniffiClone {
    }
}
";

    #[test]
    fn every_generated_callback_is_listed() {
        let text = CALLBACKS
            .replace("object poll", "internal object poll")
            .replace("object other", "internal object other")
            .replace("object uniffiListener", "internal object uniffiListener")
            .replace("interface ", "internal interface ");
        let listed = callbacks(&text).unwrap();
        for callback in [
            " poll,",
            " uniffiListener.`changed`,",
            " uniffiListener.uniffiFree,",
            " uniffiListener.uniffiClone,",
        ] {
            assert_eq!(listed.matches(callback).count(), 1, "{listed}");
        }
        assert!(!listed.contains("other"), "{listed}");
        for gone in ["internal object poll", "internal object uniffiFree"] {
            assert!(
                callbacks(&text.replace(gone, "val gone")).is_err(),
                "{gone}"
            );
        }
    }

    #[test]
    fn generated_declarations_are_hidden_and_every_change_has_its_place() {
        let places: String = REPLACED.iter().map(|(old, _)| *old).collect();
        let text = format!(
            "{places}public object A {{\n    fun b()\n}}\nclass C\n */ fun `d`()\n     suspend fun `e`()\n@Throws(E::class) fun `f`()\n{CALLBACKS}"
        );
        let adapted = adapt(&text).unwrap();
        for hidden in ["internal object A {\n    fun b()", "internal class C\n"] {
            assert!(adapted.contains(hidden), "{adapted}");
        }
        assert_eq!(adapted.matches("internal fun `d`").count(), 1);
        assert_eq!(adapted.matches("internal suspend fun `e`").count(), 1);
        assert_eq!(adapted.matches("internal fun `f`").count(), 1);
        for (old, new) in REPLACED {
            assert_eq!(adapted.matches(new).count(), 1, "{new}");
            let error = adapt(&text.replace(old, "")).unwrap_err();
            assert!(error.to_string().contains("look again"), "{error}");
        }
    }
}
