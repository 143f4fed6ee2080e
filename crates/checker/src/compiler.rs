//! Where TypeScript's compiler is.
//!
//! Since version 7 the npm package `typescript` has a native compiler for each platform in a package of its own, beside
//! a wrapper in JavaScript that starts it. The wrapper would be a process more and needs Node.js; it is looked through.

use std::env;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The variable that names the compiler.
const VARIABLE: &str = "CARREL_TSC";
/// What it is called: in the package `typescript`, and in the previews of version 7.
const NAMES: [&str; 2] = ["tsc", "tsgo"];
/// How far up from a wrapper its platform's package may lie.
const LEVELS: usize = 5;

/// TypeScript's native compiler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiler {
    program: PathBuf,
    folder: PathBuf,
}

/// There is no native compiler of TypeScript where it was looked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}; `npm install typescript@7` gives one, and {VARIABLE} names it")]
pub struct NotFound {
    problem: String,
}

impl Compiler {
    /// Finds the compiler: the one that `CARREL_TSC` names, or else one on the `PATH`.
    ///
    /// # Errors
    /// [`NotFound`] says where it was looked for. What the variable names is the user's choice: when it does not do,
    /// nothing else is taken in its place.
    pub fn find() -> Result<Self, NotFound> {
        if let Some(named) = env::var_os(VARIABLE).filter(|named| !named.is_empty()) {
            return Self::at(Path::new(&named))
                .map_err(|error| NotFound { problem: format!("{VARIABLE}: {}", error.problem) });
        }
        let path = env::var_os("PATH").unwrap_or_default();
        let folders: Vec<_> = env::split_paths(&path).filter(|folder| folder.is_absolute()).collect();
        folders
            .iter()
            .flat_map(|folder| NAMES.map(|name| folder.join(name)))
            .find_map(|candidate| Self::at(&candidate).ok())
            .ok_or_else(|| NotFound { problem: "no native `tsc` on the PATH".to_owned() })
    }

    /// Takes the compiler at a path: the program itself, or npm's wrapper of it.
    ///
    /// # Errors
    /// [`NotFound`] when there is none.
    pub fn at(path: &Path) -> Result<Self, NotFound> {
        let not_found = |problem: &str| NotFound { problem: format!("{} {problem}", path.display()) };
        let program =
            fs::canonicalize(path).map_err(|error| not_found(&format!("cannot be read: {error}")))?;
        let program = if is_native(&program) {
            program
        } else {
            behind(&program)
                .ok_or_else(|| not_found("is not TypeScript's native compiler, which came with version 7"))?
        };
        let folder = program.parent().unwrap_or(Path::new("/")).to_owned();
        Ok(Self { program, folder })
    }

    /// Returns the program's path.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Returns the folder that has the program and the libraries of the language.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns its version, as its npm package states it.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Package {
            version: String,
        }
        let package = fs::read(self.folder.parent()?.join("package.json")).ok()?;
        serde_json::from_slice::<Package>(&package).ok().map(|package| package.version)
    }
}

/// Tells a program from a script.
fn is_native(path: &Path) -> bool {
    const MAGIC: [[u8; 4]; 3] = [*b"\x7fELF", [0xcf, 0xfa, 0xed, 0xfe], [0xca, 0xfe, 0xba, 0xbe]];
    let mut magic = [0; 4];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    read.is_ok() && MAGIC.contains(&magic)
}

/// Finds the program that npm's wrapper would start: in its platform's package, installed beside the wrapper's.
fn behind(wrapper: &Path) -> Option<PathBuf> {
    let platform = format!("{}-{}", node_platform(), node_architecture());
    wrapper.ancestors().skip(1).take(LEVELS).find_map(|folder| {
        let packages = folder.join("node_modules").join("@typescript");
        let beside = folder.join("@typescript");
        [packages, beside].into_iter().find_map(|packages| {
            let program = packages.join(format!("typescript-{platform}")).join("lib").join("tsc");
            let preview = packages.join(format!("native-preview-{platform}")).join("lib").join("tsgo");
            [program, preview].into_iter().find(|program| is_native(program))
        })
    })
}

fn node_platform() -> &'static str {
    match env::consts::OS {
        "macos" => "darwin",
        "windows" => "win32",
        other => other,
    }
}

fn node_architecture() -> &'static str {
    match env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    }
}
