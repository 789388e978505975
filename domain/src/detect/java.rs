//! Servers written in Java, Kotlin and other languages of its virtual machine.

use super::{DetectError, Project, Reading, Weight, node, plan};
use crate::build::{AddedFile, BuildStep};

/// Path of the script that starts the archive that the build left.
const START: &str = ".mikrocloud/start-java.sh";

/// Chooses among the archives of a build: names of their own for what is complete come first, and what holds sources or lacks its
/// dependencies is passed over. The variables are those of Spring Boot, Quarkus and Micronaut for the port.
const START_TEXT: &str = r#"for jar in target/quarkus-app/quarkus-run.jar build/quarkus-app/quarkus-run.jar target/*-runner.jar target/*-with-dependencies.jar \
    target/*-all.jar build/libs/*-all.jar target/*-shaded.jar target/*.jar build/libs/*.jar; do
    case "$jar" in
        *-sources.jar | *-javadoc.jar | *-tests.jar | *-plain.jar | */original-*.jar) continue ;;
    esac
    if [ -f "$jar" ]; then
        exec java -Xmx{heap}m -Dserver.port="$PORT" -Dquarkus.http.port="$PORT" -Dmicronaut.server.port="$PORT" $JAVA_OPTS -jar "$jar"
    fi
done
echo "the build left no program: no .jar in target/ or build/libs/" >&2
exit 1
"#;

/// Memory of a server, MiB, where the project file does not set it: a Java program needs more than others.
const MEMORY_MIB: u64 = 768;

/// A project of Maven or Gradle.
pub(super) fn detect(project: &Project<'_>) -> Result<Option<Reading>, DetectError> {
    let has = |file: &str| project.tree.exists(file);
    let file = ["pom.xml", "build.gradle", "build.gradle.kts"].into_iter().find(|file| has(file));
    let Some(file) = file.filter(|_| project.may_serve()) else { return Ok(None) };
    let build = match file {
        "pom.xml" => tool(has("mvnw"), "mvnw", "mvn", &["--batch-mode", "--no-transfer-progress", "-DskipTests", "package"]),
        _ => tool(has("gradlew"), "gradlew", "gradle", &["--no-daemon", "--console=plain", "build", "-x", "test"]),
    };
    let mut steps = node::assets(project)?;
    steps.push(build);
    let memory = project.manifest.container.as_ref().and_then(|container| container.memory_mib).unwrap_or(MEMORY_MIB);
    let (reason, command) = match &project.start {
        Some(start) => (format!("there is {file}, and {} says how it starts", start.file), start.command.clone()),
        None => (format!("there is {file}"), plan::command(&["sh", START])),
    };
    let mut server = plan::server("Java", reason, steps, command);
    // The rest is for what the virtual machine itself needs.
    let text = START_TEXT.replace("{heap}", &(memory * 6 / 10).to_string());
    server.files.push(AddedFile { path: START.to_owned(), text });
    if let crate::workload::WorkloadSpec::Server(server) = &mut server.workload {
        server.memory_mib = memory;
    }
    Ok(Some(Reading::new(Weight::Server, server)))
}

/// The project's wrapper, which brings the tool in its version, or the tool of the machine.
fn tool(has_wrapper: bool, wrapper: &str, program: &str, words: &[&str]) -> BuildStep {
    let start: &[&str] = if has_wrapper { &["sh", wrapper] } else { &[program] };
    plan::step([start, words].concat())
}
