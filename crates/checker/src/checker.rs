//! One check from its beginning to its end, and what bounds it.

use std::mem;
use std::sync::{Arc, OnceLock, PoisonError};
use std::time::Duration;

use carrel_contract::{CellChecker, CheckRequest, CheckerUnavailable, CodeModeFuture, TypeDiagnostic};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::compiler::{Compiler, NotFound};
use crate::connection::{CallError, Connection};
use crate::project::{Project, Projects};
use crate::report::{self, Raw};

/// What a checker may take.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// How long a check may take, waiting for its turn included, which may take half of it. A cell whose check takes longer runs unchecked.
    pub time_limit: Duration,
    /// Checks at once; more wait their turn.
    pub concurrent: usize,
    /// The most bytes of a cell with those of the earlier cells that it uses.
    pub source_bytes: usize,
    /// The memory of the compiler's process: on Linux it dies at this, elsewhere it but collects its garbage harder.
    pub memory_bytes: u64,
    /// The memory at which a compiler is replaced when a check is done.
    pub recycle_bytes: u64,
    /// The checks after which a compiler is replaced.
    pub recycle_checks: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            time_limit: Duration::from_secs(5),
            concurrent: 4,
            source_bytes: 1 << 20,
            memory_bytes: 1 << 30,
            recycle_bytes: 384 << 20,
            recycle_checks: 20_000,
        }
    }
}

/// A type checker over TypeScript's own compiler, which runs beside this process.
///
/// One is meant for all sessions of a process. It starts nothing before the first check. Its process ends with it.
#[derive(Debug)]
pub struct Checker {
    options: Options,
    compiler: OnceLock<Result<Compiler, NotFound>>,
    places: Semaphore,
    current: Mutex<Option<Arc<Connection>>>,
    projects: Projects,
}

impl Checker {
    /// Makes a checker that looks for the compiler when it is first wanted: [`Compiler::find`].
    #[must_use]
    pub fn new(options: Options) -> Self {
        let places = Semaphore::new(options.concurrent.clamp(1, Semaphore::MAX_PERMITS));
        Self {
            options,
            compiler: OnceLock::new(),
            places,
            current: Mutex::default(),
            projects: Projects::default(),
        }
    }

    /// Makes a checker with this compiler.
    #[must_use]
    pub fn with_compiler(compiler: Compiler, options: Options) -> Self {
        Self { compiler: OnceLock::from(Ok(compiler)), ..Self::new(options) }
    }

    /// Returns the process of the compiler and the memory it holds, where they are known; `None` when none runs.
    pub async fn process(&self) -> Option<(u32, u64)> {
        let current = self.current.lock().await;
        let connection = current.as_ref().filter(|connection| !connection.is_broken())?;
        Some((connection.pid()?, connection.resident_bytes().unwrap_or_default()))
    }

    async fn check_types(&self, request: &CheckRequest) -> Result<Vec<TypeDiagnostic>, CheckerUnavailable> {
        let compiler = self.compiler.get_or_init(Compiler::find).as_ref();
        let compiler = compiler.map_err(|error| CheckerUnavailable::Absent { detail: error.to_string() })?;
        let limit = self.options.source_bytes;
        if request.source.len() > limit {
            return Err(CheckerUnavailable::TooLarge { bytes: request.source.len(), limit });
        }
        let Some(project) = self.projects.make(request) else { return Ok(Vec::new()) };
        if project.bytes() > limit {
            return Err(CheckerUnavailable::TooLarge { bytes: project.bytes(), limit });
        }
        let now = Instant::now();
        let (longest_wait, deadline) = (self.options.time_limit / 2, now + self.options.time_limit);
        let Ok(place) = timeout_at(now + longest_wait, self.places.acquire()).await else {
            return Err(CheckerUnavailable::Busy { limit: longest_wait });
        };
        let raw = self.ask(compiler, &project, deadline).await?;
        drop(place);
        Ok(report::pick(raw, &request.source, &project))
    }

    /// Asks a compiler; when it dies, which the check of another cell may be the reason for, another one, once.
    async fn ask(
        &self,
        compiler: &Compiler,
        project: &Project,
        deadline: Instant,
    ) -> Result<Vec<Raw>, CheckerUnavailable> {
        let mut lost = None;
        for _ in 0..2 {
            let mut asked = Asked { checker: self, connection: None };
            let answer = timeout_at(deadline, async {
                let connection = asked.connection.insert(self.connection(compiler).await?);
                diagnose(connection, project).await
            })
            .await;
            match answer {
                Ok(Ok(raw)) => {
                    asked.done();
                    return Ok(raw);
                }
                Ok(Err(CallError::Refused(detail))) => return Err(CheckerUnavailable::Failed { detail }),
                Ok(Err(CallError::Lost(detail))) => lost = Some(detail),
                Err(_) => {
                    if let Some(connection) = &asked.connection {
                        connection.kill("the check of another cell took too long");
                    }
                    return Err(CheckerUnavailable::TimedOut { limit: self.options.time_limit });
                }
            }
        }
        Err(CheckerUnavailable::Failed { detail: lost.unwrap_or_default() })
    }

    /// Returns a compiler that runs.
    async fn connection(&self, compiler: &Compiler) -> Result<Arc<Connection>, CallError> {
        let mut current = self.current.lock().await;
        if let Some(connection) = current.as_ref().filter(|connection| !connection.is_broken()) {
            return Ok(Arc::clone(connection));
        }
        // What remains of it ends here, so that there is one.
        *current = None;
        let opened = Arc::new(Connection::open(compiler, self.options.memory_bytes).await?);
        *current = Some(Arc::clone(&opened));
        Ok(opened)
    }

    fn is_worn(&self, connection: &Connection) -> bool {
        connection.count_check() >= self.options.recycle_checks
            || connection.resident_bytes().is_some_and(|bytes| bytes > self.options.recycle_bytes)
    }
}

impl CellChecker for Checker {
    fn check(&self, request: CheckRequest) -> CodeModeFuture<'_, Vec<TypeDiagnostic>, CheckerUnavailable> {
        Box::pin(async move { self.check_types(&request).await })
    }
}

/// A compiler that was asked. Unless it answered, it is not asked again: nothing says that it will ever be done. Checks of
/// others that are under way keep it until they are.
struct Asked<'a> {
    checker: &'a Checker,
    connection: Option<Arc<Connection>>,
}

impl Asked<'_> {
    fn done(mut self) {
        self.connection = self.connection.take().filter(|connection| self.checker.is_worn(connection));
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        // Held by whoever starts a compiler because this one is broken; then it is replaced already.
        if let Ok(mut current) = self.checker.current.try_lock()
            && current.as_ref().is_some_and(|current| Arc::ptr_eq(current, &connection))
        {
            *current = None;
        }
    }
}

#[derive(Deserialize)]
struct Updated {
    snapshot: u64,
    projects: Vec<Opened>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Opened {
    id: Value,
    config_file_name: String,
}

/// Puts a project before the compiler and asks what it thinks of the cell.
async fn diagnose(connection: &Connection, project: &Project) -> Result<Vec<Raw>, CallError> {
    let _put = connection.files().put(&project.files);
    let done = mem::take(&mut *connection.done.lock().unwrap_or_else(PoisonError::into_inner));
    let update = json!({ "openProjects": [project.config], "closeProjects": done });
    let Updated { snapshot, projects } = connection.call("updateSnapshot", &update).await?;
    let opened = projects.into_iter().find(|opened| opened.config_file_name == project.config);
    let opened =
        opened.ok_or_else(|| CallError::Refused("it does not open the project of a cell".to_owned()))?;
    let file = json!({ "snapshot": snapshot, "project": opened.id, "file": project.cell });
    let answer = connection.call::<Option<Vec<Raw>>>("getSemanticDiagnostics", &file).await;
    connection.done.lock().unwrap_or_else(PoisonError::into_inner).push(project.config.clone());
    let raw = answer?.unwrap_or_default();
    connection.call::<Value>("release", &json!({ "snapshot": snapshot })).await?;
    Ok(raw)
}
