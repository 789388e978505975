//! A server's command as it runs in a container: the port and the address are known when the image is made, and visitors come from
//! outside.

use clouds_contract::{CloudError, ErrorKind};

/// Address on which a program in a container has to listen.
pub(crate) const HOST: &str = "0.0.0.0";

/// Names of this machine alone.
const LOOPBACK: [&str; 4] = ["127.0.0.1", "localhost", "[::1]", "::1"];

/// Options whose value is the address to listen on.
const OPTIONS: [&str; 15] = [
    "--host",
    "--hostname",
    "--bind",
    "--listen",
    "--address",
    "--addr",
    "--ip",
    "--interface",
    "--server.address",
    "--urls",
    "-H",
    "-b",
    "-h",
    "-i",
    "-S",
];

/// Variables whose value is the address to listen on.
const VARIABLES: [&str; 10] = [
    "HOST",
    "HOSTNAME",
    "BIND",
    "BIND_ADDRESS",
    "LISTEN",
    "LISTEN_ADDRESS",
    "GRADIO_SERVER_NAME",
    "DENO_SERVE_ADDRESS",
    "ASPNETCORE_URLS",
    "STREAMLIT_SERVER_ADDRESS",
];

/// The command with port and address in place of `$PORT`, `$HOST` and names of this machine alone.
pub(crate) fn in_container(command: &[String], port: u16) -> Result<Vec<String>, CloudError> {
    let replaced: Vec<String> = command.iter().map(|word| replace(word, port)).collect();
    if let [shell, flag, line] = replaced.as_slice()
        && matches!(shell.as_str(), "sh" | "bash" | "/bin/sh" | "/bin/bash")
        && flag == "-c"
    {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let line = listening(&words, port)?.join(" ");
        return Ok(vec![shell.clone(), flag.clone(), line]);
    }
    listening(&replaced, port)
}

/// The value of a variable, with the address to listen on where it is one.
pub(crate) fn variable(name: &str, value: &str) -> String {
    let is_loopback = VARIABLES.contains(&name) && LOOPBACK.contains(&value);
    if is_loopback { HOST.to_owned() } else { value.to_owned() }
}

fn replace(word: &str, port: u16) -> String {
    let number = port.to_string();
    let word = word.replace("${PORT}", &number).replace("$PORT", &number);
    word.replace("${HOST}", HOST).replace("$HOSTNAME", "\0").replace("$HOST", HOST).replace('\0', "$HOSTNAME")
}

/// Opens what a command listens on to visitors.
fn listening(words: &[String], port: u16) -> Result<Vec<String>, CloudError> {
    let mut before: Option<&str> = None;
    let mut result = Vec::with_capacity(words.len());
    for word in words {
        let is_value = before.is_some_and(|option| OPTIONS.contains(&option));
        result.push(word_listening(word, is_value, port)?);
        before = Some(word);
    }
    Ok(result)
}

fn word_listening(word: &str, is_value: bool, port: u16) -> Result<String, CloudError> {
    let (name, value) = match word.split_once('=') {
        Some((name, value)) if !name.contains(['/', ':']) => (Some(name), value),
        _ => (None, word),
    };
    let Some((start, loopback)) = LOOPBACK.iter().find_map(|name| Some((value.find(name)?, *name))) else {
        return Ok(word.to_owned());
    };
    let (front, rest) = (&value[..start], &value[start + loopback.len()..]);
    let rest_port = rest.strip_prefix(':').map(|rest| rest.trim_end_matches(['/', '"', '\'']));
    let known = is_value || name.is_some_and(|name| OPTIONS.contains(&name) || VARIABLES.contains(&name));
    let opened = || {
        let prefix = name.map(|name| format!("{name}=")).unwrap_or_default();
        format!("{prefix}{front}{HOST}{rest}")
    };
    match rest_port {
        // What it listens on has the port that visitors come to; another port is somebody else's.
        Some(number) if number == port.to_string() => Ok(opened()),
        None if known && (rest.is_empty() || rest == "\"" || rest == "'") => Ok(opened()),
        None if is_bare(front, rest) => Err(unclear(word)),
        Some(_) | None => Ok(word.to_owned()),
    }
}

/// Returns true if the name of this machine is the whole text, apart from quotes and a scheme.
fn is_bare(front: &str, rest: &str) -> bool {
    (front.is_empty() || front.ends_with("://") || front == "\"" || front == "'")
        && (rest.is_empty() || rest == "\"" || rest == "'")
}

fn unclear(word: &str) -> CloudError {
    let message = format!(
        "the start command has `{word}`: in a container nobody outside reaches a program that listens on this machine alone. Write $HOST in its \
         place, which is the address to listen on"
    );
    CloudError::new(ErrorKind::Invalid, "LISTENS_ON_LOOPBACK", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: &str) -> String {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        in_container(&words, 8080).unwrap().join(" ")
    }

    #[test]
    fn commands_of_detection_listen_for_everyone_in_a_container() {
        let table = [
            (
                "python3 -m gunicorn --bind 127.0.0.1:$PORT --threads 8 app:app",
                "python3 -m gunicorn --bind 0.0.0.0:8080 --threads 8 app:app",
            ),
            (
                "python3 -m uvicorn main:app --host 127.0.0.1 --port $PORT",
                "python3 -m uvicorn main:app --host 0.0.0.0 --port 8080",
            ),
            ("python3 -m uvicorn main:app --host $HOST --port ${PORT}", "python3 -m uvicorn main:app --host 0.0.0.0 --port 8080"),
            ("python3 manage.py runserver --noreload 127.0.0.1:$PORT", "python3 manage.py runserver --noreload 0.0.0.0:8080"),
            ("node_modules/.bin/next start -p $PORT -H 127.0.0.1", "node_modules/.bin/next start -p 8080 -H 0.0.0.0"),
            ("php artisan serve --host=127.0.0.1 --port=$PORT", "php artisan serve --host=0.0.0.0 --port=8080"),
            ("php -S localhost:$PORT -t .", "php -S 0.0.0.0:8080 -t ."),
            ("env DENO_SERVE_ADDRESS=tcp:127.0.0.1:$PORT deno serve", "env DENO_SERVE_ADDRESS=tcp:0.0.0.0:8080 deno serve"),
            (
                "env GRADIO_SERVER_NAME=127.0.0.1 GRADIO_SERVER_PORT=$PORT python3 a.py",
                "env GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=8080 python3 a.py",
            ),
            ("daphne -b 127.0.0.1 -p $PORT x:y", "daphne -b 0.0.0.0 -p 8080 x:y"),
            ("dotnet app.dll --urls http://localhost:$PORT", "dotnet app.dll --urls http://0.0.0.0:8080"),
        ];
        for (before, after) in table {
            assert_eq!(run(before), after);
        }
    }

    #[test]
    fn the_line_of_a_shell_is_read_by_words() {
        let line = ["sh", "-c", "exec  gunicorn x:app --bind 127.0.0.1:$PORT && echo $HOSTNAME"].map(str::to_owned);
        assert_eq!(in_container(&line, 8080).unwrap()[2], "exec  gunicorn x:app --bind 0.0.0.0:8080 && echo $HOSTNAME");
    }

    #[test]
    fn addresses_of_others_stay() {
        for line in
            ["app --database postgres://127.0.0.1:5432/db", "app --redis=localhost:6379", "app --file /etc/localhost.conf"]
        {
            assert_eq!(run(line), line);
        }
    }

    #[test]
    fn an_address_whose_meaning_is_unclear_is_refused_with_the_remedy() {
        let error = in_container(&["serve".to_owned(), "127.0.0.1".to_owned()], 8080).unwrap_err();
        assert!(error.code == "LISTENS_ON_LOOPBACK" && error.message.contains("$HOST"), "{error}");
    }

    #[test]
    fn variables_that_name_the_address_are_opened_and_others_stay() {
        assert_eq!(variable("HOSTNAME", "localhost"), "0.0.0.0");
        assert_eq!(variable("DB_HOST", "127.0.0.1"), "127.0.0.1");
    }
}
