//! Messages by e-mail, through the operator's mail server.

use std::fmt;
use std::time::Duration;

use domain::secret::Secret;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message as Mail, Tokio1Executor};
use maud::{DOCTYPE, html};
use url::Url;

/// Timeout of a mail, and of each of its steps.
const PATIENCE: Duration = Duration::from_secs(30);
const STEP_PATIENCE: Duration = Duration::from_secs(20);

/// Sends mail through a server.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// Letter to one recipient.
pub(super) struct Letter<'l> {
    /// The subject: one line, without control characters.
    pub title: &'l str,
    /// The text, of lines.
    pub body: &'l str,
    /// Link to follow.
    pub link: Option<&'l str>,
}

/// Failure to send a mail.
#[derive(Debug)]
pub(super) struct MailError {
    /// The server's reply code, where there was one.
    pub status: Option<i64>,
    /// Indicates that a retry cannot succeed.
    pub is_permanent: bool,
    /// Description of the failure.
    pub message: String,
}

impl Mailer {
    /// A mailer for a server, as `smtps://user:password@host` or `smtp://user:password@host:587?tls=required`, and a sender's address. What
    /// is not on this machine is spoken to by TLS only.
    pub fn new(server: &Secret, from: &str) -> Result<Self, String> {
        let form = "it has the form smtps://user:password@host, or smtp://user:password@host:587?tls=required";
        let url = Url::parse(server.expose()).map_err(|_| format!("this is no address of a mail server: {form}"))?;
        let in_clear = match url.scheme() {
            "smtps" => false,
            "smtp" => !url.query_pairs().any(|(name, value)| name == "tls" && value == "required"),
            _ => return Err(format!("this is no address of a mail server: {form}")),
        };
        let here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if in_clear && !here {
            return Err("mail would be sent in the clear: use smtps://, or add ?tls=required".to_owned());
        }
        let from: Mailbox = from
            .parse()
            .map_err(|_| "this is no sender's address: give one such as `MikroCloud <noreply@example.org>`".to_owned())?;
        // The library's error may hold the address.
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(server.expose());
        let builder = builder.map_err(|_| format!("this is no address of a mail server: {form}"))?;
        Ok(Self { transport: builder.timeout(Some(STEP_PATIENCE)).build(), from })
    }

    /// Sends a letter to somebody. What has the same id has the same `Message-ID` however often it is sent.
    pub(super) async fn send(&self, to: &str, id: &str, letter: &Letter<'_>) -> Result<i64, MailError> {
        let mail = self.mail(to, id, letter).map_err(|problem| MailError {
            status: None,
            is_permanent: true,
            message: format!("the mail cannot be written: {problem}"),
        })?;
        match tokio::time::timeout(PATIENCE, self.transport.send(mail)).await {
            Ok(Ok(response)) => Ok(u16::from(response.code()).into()),
            Ok(Err(error)) => Err(failure(&error)),
            Err(_) => {
                let message = format!("the mail server did not take it within {} seconds", PATIENCE.as_secs());
                Err(MailError { status: None, is_permanent: false, message })
            }
        }
    }

    fn mail(&self, to: &str, id: &str, letter: &Letter<'_>) -> Result<Mail, String> {
        let to: Address = to.parse().map_err(|_| "the member's address is none that mail can be sent to".to_owned())?;
        let text = format!("{}\n\n{}\n", letter.body, letter.link.unwrap_or_default());
        let mail = Mail::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            // One line, without control characters; the library encodes what is not ASCII.
            .subject(letter.title)
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .header(AutoSubmitted)
            .multipart(MultiPart::alternative_plain_html(text.trim_end().to_owned() + "\n", page(letter)));
        mail.map_err(|error| error.to_string())
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer").field("from", &self.from).finish_non_exhaustive()
    }
}

/// Says that no person wrote it, so that no programs answer (RFC 3834, 5).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

fn page(letter: &Letter<'_>) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { (letter.title) } }
            body style="font-family: sans-serif; line-height: 1.5" {
                h1 style="font-size: 1.2em" { (letter.title) }
                @for line in letter.body.lines() { p style="margin: 0.3em 0" { (line) } }
                @if let Some(link) = letter.link { p { a href=(link) { (link) } } }
            }
        }
    };
    page.into_string()
}

fn failure(error: &lettre::transport::smtp::Error) -> MailError {
    let status = error.status().map(|code| i64::from(u16::from(code)));
    let said = jobs::handler::chain(error);
    let shown: String = said.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect();
    MailError { status, is_permanent: error.is_permanent(), message: format!("the mail server did not take it: {shown}") }
}

#[cfg(test)]
mod tests {
    use domain::id::DeliveryId;

    use super::*;

    fn mailer(server: &str, from: &str) -> Result<Mailer, String> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Mailer::new(&server.into(), from)
    }

    #[tokio::test]
    async fn mail_in_the_clear_leaves_no_machine_and_mistakes_are_named_without_the_password() {
        for good in [
            "smtp://127.0.0.1:2525",
            "smtp://localhost",
            "smtps://u:p@mail.example.org",
            "smtp://u:p@mail.example.org:587?tls=required",
        ] {
            mailer(good, "MikroCloud <noreply@example.org>").unwrap();
        }
        for bad in [
            "smtp://u:hunter2@mail.example.org",
            "smtp://u:hunter2@mail.example.org?tls=opportunistic",
            "http://u:hunter2@x",
            "hunter2",
        ] {
            let problem = mailer(bad, "noreply@example.org").unwrap_err();
            assert!(!problem.contains("hunter2") && problem.contains("smtps://"), "{problem}");
        }
        assert!(mailer("smtp://localhost", "nobody").unwrap_err().contains("noreply@example.org"));
        assert!(!format!("{:?}", mailer("smtp://u:hunter2@localhost", "a@example.org").unwrap()).contains("hunter2"));
    }

    #[tokio::test]
    async fn a_mail_has_a_stable_id_two_parts_and_no_headers_of_others() {
        let mailer = mailer("smtp://localhost", "MikroCloud <noreply@example.org>").unwrap();
        let letter = Letter {
            title: "Grüße\r\nBcc: evil@example.org",
            body: "<script>alert(1)</script>\nsecond",
            link: Some("https://shop.example.org/?a=1&b=\""),
        };
        let id = DeliveryId::new().to_string();
        let text = |mail: Mail| String::from_utf8(mail.formatted()).unwrap();
        let mail = text(mailer.mail("ada@example.org", &id, &letter).unwrap());
        assert!(mail.contains(&format!("Message-ID: <{id}@example.org>")), "{mail}");
        assert!(mail.contains("Auto-Submitted: auto-generated") && mail.contains("text/plain") && mail.contains("text/html"));
        let head = mail.split("\r\n\r\n").next().unwrap();
        assert!(!head.lines().any(|line| line.to_lowercase().starts_with("bcc:")), "{head}");
        assert!(!mail.contains("<script>alert(1)</script>\r\n</p>") && mail.contains("&lt;script&gt;"), "{mail}");
        for bad in ["ada@example.org\r\nBcc: x@example.org", "ada@example.org, bob@example.org", "ada", ""] {
            assert!(mailer.mail(bad, &id, &letter).is_err(), "{bad}");
        }
    }
}
