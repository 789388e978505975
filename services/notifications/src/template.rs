//! Texts with placeholders. The engine reads no files and runs no code, and what a template may do and make is bounded by its fuel, of which
//! each step and each byte takes some. Only what is good for texts is there: a list that is multiplied, or made by a filter, is as long as it
//! says without that anybody pays for it, and to print or compare one takes as long as the template wishes (minijinja 3.1).

use domain::notification::{EventType, Template};
use domain::time::now;
use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;
use minijinja::tests::{is_defined, is_none};
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value as Slot, escape_formatter, filters};
use serde_json::{Value, json};
use services_core::{Result, ServiceError};

use super::message::Message;
use super::payload;

/// The longest templates, characters.
const LONGEST_TITLE: usize = 200;
const LONGEST_BODY: usize = 4000;
/// Enough for some 60,000 bytes or a thousand steps.
const FUEL: u64 = 1000;

/// Rendering of a template with sample data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The title.
    pub title: String,
    /// The body.
    pub body: String,
}

/// The texts of an event where a channel has none of its own.
pub(super) fn default_for(event: EventType) -> Template {
    let which = "{{ project.name }}: deployment {{ deployment.number }} to {{ environment.name }}";
    let (title, body) = match event {
        EventType::DeploymentQueued => (format!("{which} is queued"), "{{ message }}"),
        EventType::DeploymentWaitingForApproval => (format!("{which} waits for an approval"), "{{ message }}"),
        EventType::DeploymentLive => (
            format!("{which} is live"),
            "{{ environment.url }}{% if deployment.commit %}\nCommit {{ deployment.commit }}{% endif %}\
             {% if deployment.requestedBy %}\nAsked for by {{ deployment.requestedBy.name }}{% endif %}",
        ),
        EventType::DeploymentFailed => {
            (format!("{which} failed"), "{% if failure %}{{ failure.code }}: {% endif %}{{ message }}")
        }
        EventType::DeploymentCancelled => (format!("{which} was cancelled"), "{{ message }}"),
        EventType::AlertRaised => {
            ("Alert: {{ alert.kind }}{% if project %} ({{ project.name }}){% endif %}".to_owned(), "{{ alert.message }}")
        }
        EventType::Ping => ("MikroCloud: a test of {{ channel.name }}".to_owned(), "{{ message }}"),
    };
    Template { title, body: body.to_owned() }
}

/// Title and body of a payload.
pub(super) fn render(template: &Template, payload: &Value) -> Result<(String, String), minijinja::Error> {
    let engine = engine();
    let mut known = payload["data"].clone();
    known["event"] = payload["type"].clone();
    known["time"] = payload["timestamp"].clone();
    let known = Slot::from(Serde(&known));
    let text = |source: &str| engine.template_from_str(source)?.render(known.clone());
    Ok((text(&template.title)?, text(&template.body)?))
}

/// Refuses a template that does not work for its event, with the line and what is wrong.
pub(super) fn check(event: EventType, template: &Template) -> Result<()> {
    for (part, source, longest) in [("title", &template.title, LONGEST_TITLE), ("body", &template.body, LONGEST_BODY)] {
        if source.chars().count() > longest {
            let message = format!("the {part} for `{}` is longer than {longest} characters: shorten it", event.name());
            return Err(invalid(&message));
        }
    }
    if template.title.trim().is_empty() {
        return Err(invalid(&format!("the title for `{}` is empty: write one line", event.name())));
    }
    refuse_multiplication(event, template)?;
    // With all that may be known, and with the least.
    for sparse in [false, true] {
        let sample = payload::sample(event, now(), sparse);
        for (part, source) in [("title", &template.title), ("body", &template.body)] {
            let alone = Template { title: source.clone(), body: String::new() };
            render(&alone, &sample).map_err(|error| invalid(&explained(event, part, sparse, &error)))?;
        }
    }
    Ok(())
}

/// Renders a template with sample data; the default template if none is given.
pub(super) fn preview(event: EventType, template: Option<&Template>) -> Result<Preview> {
    if let Some(template) = template {
        check(event, template)?;
    }
    let templates = template.map(|template| (event.name().to_owned(), template.clone())).into_iter().collect();
    let Message { title, body, .. } = Message::of(event, &payload::sample(event, now(), false), &templates);
    Ok(Preview { title, body })
}

/// Refuses the operators that make something long of something short, as the engine itself reads the template.
fn refuse_multiplication(event: EventType, template: &Template) -> Result<()> {
    for (part, source) in [("title", &template.title), ("body", &template.body)] {
        for read in tokenize(source, false, SyntaxConfig::default()) {
            // What it cannot read it says below, with the line.
            let Ok((token, span)) = read else { break };
            if matches!(token, Token::Mul | Token::Pow) {
                let line = span.start_line;
                let message = format!("the {part} for `{}`, line {line}: `*` is not there: texts do not multiply", event.name());
                return Err(invalid(&message));
            }
        }
    }
    Ok(())
}

fn engine() -> Environment<'static> {
    let mut engine = Environment::empty();
    engine.add_filter("upper", filters::upper);
    engine.add_filter("lower", filters::lower);
    engine.add_filter("title", filters::title);
    engine.add_filter("capitalize", filters::capitalize);
    engine.add_filter("trim", filters::trim);
    engine.add_filter("replace", filters::replace);
    engine.add_filter("default", filters::default);
    engine.add_filter("length", filters::length);
    engine.add_test("defined", is_defined);
    engine.add_test("none", is_none);
    engine.set_fuel(Some(FUEL));
    // Whoever misspells a placeholder is told, and may ask whether something is there.
    engine.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    engine.set_formatter(|out, state, value| if value.is_none() { Ok(()) } else { escape_formatter(out, state, value) });
    engine
}

fn invalid(message: &str) -> ServiceError {
    ServiceError::invalid("templates", "INVALID_TEMPLATE", message)
}

fn explained(event: EventType, part: &str, sparse: bool, error: &minijinja::Error) -> String {
    let line = error.line().map(|line| format!("line {line}: ")).unwrap_or_default();
    let problem = error.detail().map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
    let remedy = if sparse {
        "this may be absent: ask with {% if ... %} whether it is there"
    } else {
        "the placeholders of each event are in docs/notifications.md"
    };
    let shown: String = problem.chars().filter(|c| !c.is_control()).take(300).collect();
    format!("the {part} for `{}`, {line}{shown}; {remedy}", event.name())
}

/// An event by its name, as users give it.
pub(super) fn parse_event(field: &'static str, name: &str) -> Result<EventType> {
    EventType::from_name(name).ok_or_else(|| {
        let known: Vec<_> = EventType::chosen().map(EventType::name).collect();
        let shown: String = name.chars().take(60).collect();
        let message = format!("there is no event `{}`: there are {}", shown.escape_debug(), known.join(", "));
        ServiceError::invalid(field, "UNKNOWN_EVENT", message)
    })
}

/// Builds the audit log's details of a template.
pub(super) fn logged(template: &Template) -> Value {
    json!({"title": template.title, "body": template.body})
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(event: EventType, title: &str, body: &str) -> String {
        match check(event, &Template { title: title.to_owned(), body: body.to_owned() }) {
            Err(ServiceError::Invalid { field: "templates", code: "INVALID_TEMPLATE", message }) => message,
            other => panic!("{title} / {body}: {other:?}"),
        }
    }

    #[test]
    fn our_own_texts_pass_the_check() {
        for event in EventType::ALL {
            check(*event, &default_for(*event)).unwrap();
        }
    }

    #[test]
    fn what_does_not_work_is_refused_with_its_line_and_the_remedy() {
        let live = EventType::DeploymentLive;
        let message = refused(live, "x", "one\ntwo {{ projekt.name }}");
        assert!(
            message.contains("the body for `deployment.live`, line 2: undefined value") && message.contains("docs/"),
            "{message}"
        );
        assert!(refused(live, "{{ project.name", "x").contains("the title for `deployment.live`, line 1: syntax error"));
        assert!(refused(live, "x", "{{ failure.code }}").contains("undefined"));
        let absent = refused(live, "x", "{{ deployment.requestedBy.name }}");
        assert!(absent.contains("{% if ... %}"), "{absent}");
        assert!(refused(live, "", "x").contains("write one line"));
        assert!(refused(live, &"x".repeat(201), "x").contains("longer than 200"));
        assert!(refused(live, "x", &"x".repeat(4001)).contains("longer than 4000"));
    }

    #[test]
    fn nothing_is_read_included_or_made_without_bound() {
        let live = EventType::DeploymentLive;
        for hostile in [
            "{% include '/etc/passwd' %}",
            "{% extends 'x' %}",
            "{% import 'x' as x %}",
            "{{ 'a' * 1000000000 }}",
            "{{ 'a' | indent(1000000000) }}",
            "{% for i in range(100000000) %}x{% endfor %}",
            "{% for a in range(9999) %}{% for b in range(9999) %}{{ a }}{% endfor %}{% endfor %}",
            "{% macro x() %}{{ x() }}{% endmacro %}{{ x() }}",
            "{{ 'a'.__class__ }}",
            "{{ [0] * 100000000 }}",
            "{{ ([0] * 100000000) == ([0] * 100000000) }}",
            "{% if 1 in ([0] * 100000000) %}{% endif %}",
            "{{ \"}}\" ~ ([0] * 100000000) }}",
            "{% raw %}{{ \" {% endraw %}{{ [0] * 100000000 }}\"}}",
            "{{ [1] | batch(100000000, 0) }}",
            "{{ [1] | slice(100000000) }}",
            "{% set a = 'aaaaaaaaaa' %}{% for x in 'aaaaaaaaaaaaaaaaaaaa' %}{% set a = a ~ a %}{{ a ~ a ~ a ~ a ~ a ~ a ~ a ~ a }}{% endfor %}\
             {% for a in message %}{% for b in message %}{% for c in message %}{{ a ~ b ~ c }}{% endfor %}{% endfor %}{% endfor %}",
            "{{ 2 ** 1000000 }}",
        ] {
            refused(live, "x", hostile);
        }
        // Outside of tags it means nothing.
        check(live, &Template { title: "*{{ project.name }}*".to_owned(), body: "a ** b".to_owned() }).unwrap();
    }

    proptest! {
        #[test]
        fn no_template_makes_the_engine_panic(source in "(\\{\\{|\\}\\}|\\{%|%\\}|if|for|in|project|name|[ .|()'\"0-9a-z*~\\n]){0,30}") {
            let template = Template { title: source.clone(), body: source };
            let _ = check(EventType::DeploymentFailed, &template);
        }
    }
}
