//! Reports as one HTML file that needs no other: for a browser, wide and narrow, light and dark, and for paper.
//!
//! Values come from people's records and are escaped by the templates; nothing in a report is a script.

mod audit;
mod charts;
mod past;
mod plan;

pub(crate) use audit::audit;
pub(crate) use past::{history, run};
pub(crate) use plan::plan;

use crate::core::model::visible;
use anyhow::Context;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use minijinja::{Environment, Output, State, Value, context, escape_formatter};

/// What stands on every report.
pub(crate) struct Told<'a> {
    pub(crate) environment: &'a str,
    pub(crate) zone: Tz,
    /// When the report is made.
    pub(crate) at: DateTime<Utc>,
}

impl Told<'_> {
    fn when(&self, moment: DateTime<Utc>) -> String {
        moment.with_timezone(&self.zone).format("%Y-%m-%d %H:%M").to_string()
    }
}

/// Text that may stand between tags and in attributes, and that shows whatever it has.
fn escaped(text: &str) -> String {
    minijinja::HtmlEscape(&visible::block(text)).to_string()
}

/// How a template writes a value: what came from outside is made visible before it is escaped.
fn written(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), minijinja::Error> {
    match value.as_str() {
        Some(text) if !value.is_safe() => escape_formatter(out, state, &Value::from(visible::block(text).as_ref())),
        Some(_) | None => escape_formatter(out, state, value),
    }
}

/// A sentence begins with a capital; the rest stays, names of fields among it.
fn first_upper(text: String) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// Text in which what stands between backticks is code.
fn coded(text: String) -> Value {
    let parts = text.split('`').enumerate().map(|(number, part)| match number % 2 {
        0 => escaped(part),
        _code => format!("<code>{}</code>", escaped(part)),
    });
    Value::from_safe_string(parts.collect())
}

/// One whole page. The body is made by a template of its own.
fn page(title: &str, told: &Told<'_>, template: &str, body: Value) -> anyhow::Result<String> {
    let mut templates = Environment::new();
    templates.set_formatter(written);
    templates.add_filter("first_upper", first_upper);
    templates.add_filter("coded", coded);
    templates.add_template("page.html", include_str!("templates/page.html"))?;
    templates.add_template("history.html", include_str!("templates/history.html"))?;
    templates.add_template("run.html", include_str!("templates/run.html"))?;
    templates.add_template("plan.html", include_str!("templates/plan.html"))?;
    templates.add_template("audit.html", include_str!("templates/audit.html"))?;
    let body = templates
        .get_template(template)?
        .render(body)
        .with_context(|| format!("the template {template} could not be filled in"))?;
    let page = context! {
        title,
        environment => told.environment,
        made => format!("{} {}", told.when(told.at), told.at.with_timezone(&told.zone).format("%Z")),
        version => env!("CARGO_PKG_VERSION"),
        body => Value::from_safe_string(body),
    };
    Ok(templates.get_template("page.html")?.render(page)?)
}
