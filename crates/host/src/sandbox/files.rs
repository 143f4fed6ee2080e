//! Landlock: files, TCP, and other processes.

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreatedAttr, Scope,
};

use rustix::process::chdir;

use super::SandboxError;
use super::bare::Stripped;
use super::calls::Confined;

/// What is asked for. Older kernels give what they have of it; what newer ones add is system calls that are given up anyway.
const ASKED: ABI = ABI::V6;
/// Where the kernel says which processes there are.
const PROCESSES: &str = "/proc";
/// Where it says which pages of its memory a process has changed, as VMs are set back by. The engine opens it.
const PAGES: &str = "/proc/self/pagemap";

impl Stripped {
    /// Gives up all files but those beneath a folder, all of the network but what is open, and signals to others. The folder is the
    /// working directory from here on; without one it is `/`, of which nothing can be read.
    ///
    /// To be called before there is a second thread, because it holds the threads that are started from this one.
    ///
    /// # Errors
    /// When the folder is not there, or the kernel refuses what it offers.
    pub fn confine(self, folder: Option<&Path>) -> Result<Confined, SandboxError> {
        chdir(folder.unwrap_or(Path::new("/")))
            .map_err(|error| SandboxError::new("leave the folder")(&error))?;
        // The clock looks for its place in memory in a file of the system's, on some kernels.
        rustix::param::page_size();
        let failed = SandboxError::new("give up files");
        let pages = PathFd::new(PAGES).map_err(|error| failed(&error))?;
        let landlock = restrict(folder, &pages).map_err(|error| failed(&error))?;
        Ok(Confined::new(landlock, folder.is_some(), pages))
    }
}

/// Returns the version of Landlock that holds this thread; 0 for none.
fn restrict(folder: Option<&Path>, pages: &PathFd) -> Result<usize, Box<dyn std::error::Error>> {
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ASKED))?
        .handle_access(AccessNet::from_all(ASKED))?
        .scope(Scope::from_all(ASKED))?
        .create()?;
    let read = BitFlags::from(AccessFs::ReadFile);
    rules = rules.add_rule(PathBeneath::new(pages, read))?;
    if let Some(folder) = folder {
        // What SQLite does: no folders, no links, no devices, nothing that is executed.
        let journal = AccessFs::ReadFile
            | AccessFs::WriteFile
            | AccessFs::ReadDir
            | AccessFs::MakeReg
            | AccessFs::RemoveFile
            | AccessFs::Truncate;
        rules = rules.add_rule(PathBeneath::new(PathFd::new(folder)?, journal))?;
        // A journal's owner is a process, with the time of its start: whether one is gone stands there. What else of other
        // processes is there for their user alone, as environments, Landlock holds back by itself.
        rules = rules.add_rule(PathBeneath::new(PathFd::new(PROCESSES)?, read))?;
    }
    Ok(match rules.restrict_self()?.landlock {
        LandlockStatus::Available { effective_abi, .. } => usize::try_from(effective_abi as i32)?,
        LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => 0,
    })
}
