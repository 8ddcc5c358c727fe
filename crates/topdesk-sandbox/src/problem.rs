//! Refusals, in the several shapes that the real product uses, with its own words.

use serde_json::{Value, json};

use super::call::Reply;

/// The shape of an error body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `[{"message": ".."}]`: most writes, operators, departments.
    Messages,
    /// `{"message": ".."}`: the count of persons.
    Message,
    /// `[{"errorCode": .., "errorMessage": ..}]`: one person, version 2.
    Descriptions,
    /// `{"errorCode": "..", "appliesTo": [..]}`: drop-down entries.
    Description,
    /// `{"errors": [..]}`: look-ups, locations.
    Entity,
    /// `[{"errors": [..]}]`: branches.
    Entities,
    /// No body at all.
    Empty,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// What it says.
    pub text: String,
    /// A code, for the shapes that have one.
    pub code: &'static str,
    /// The fields it is about.
    pub fields: Vec<String>,
    /// A shape that overrides the one of the route.
    pub shape: Option<Shape>,
}

impl Problem {
    /// A refusal with this status and text.
    pub fn new(status: u16, text: impl Into<String>) -> Self {
        let code = match status {
            400 => "bad_request",
            401 => "unauthorized",
            403 => "forbidden",
            404 => "not_found",
            _ => "error",
        };
        Problem {
            status,
            text: text.into(),
            code,
            fields: Vec::new(),
            shape: None,
        }
    }

    /// 400.
    pub fn bad(text: impl Into<String>) -> Self {
        Problem::new(400, text)
    }

    /// 403.
    pub fn forbidden(text: impl Into<String>) -> Self {
        Problem::new(403, text)
    }

    /// 404.
    pub fn not_found(text: impl Into<String>) -> Self {
        Problem::new(404, text)
    }

    /// 406, which has no body.
    pub fn not_acceptable() -> Self {
        Problem {
            shape: Some(Shape::Empty),
            ..Problem::new(406, "")
        }
    }

    /// 400 for parameters that cannot be read.
    pub fn malformed() -> Self {
        Problem::bad("Input parameters malformed")
    }

    /// 400 for a mandatory field.
    pub fn mandatory(field: &str) -> Self {
        Problem::bad(format!("Mandatory field '{field}' is missing.")).about(field)
    }

    /// 400 for a field the API does not have.
    pub fn no_such_field(field: &str) -> Self {
        Problem::bad(format!("The field \"{field}\" does not exist.")).about(field)
    }

    /// 400 for a value of the wrong form.
    pub fn unparsable(field: &str) -> Self {
        Problem::bad(format!("The value for the field \"{field}\" cannot be parsed")).about(field)
    }

    /// 400 for a value that is too long.
    pub fn too_long(field: &str, limit: usize) -> Self {
        Problem::bad(format!(
            "The value for the field \"{field}\" can only be {limit} characters long."
        ))
        .about(field)
    }

    /// 400 for a reference to nothing.
    pub fn cannot_be_found(field: &str) -> Self {
        Problem::bad(format!("The value for the field \"{field}\" cannot be found.")).about(field)
    }

    /// 400 with a code and a field, as drop-down entries answer.
    pub fn code(code: &'static str, field: &str) -> Self {
        Problem {
            code,
            shape: Some(Shape::Description),
            ..Problem::bad("")
        }
        .about(field)
    }

    /// 400 with a code that is a sentence, among others.
    pub fn errors(code: &'static str) -> Self {
        Problem {
            code,
            shape: Some(Shape::Entity),
            ..Problem::bad("")
        }
    }

    fn about(mut self, field: &str) -> Self {
        self.fields.push(field.to_owned());
        self
    }

    /// The answer, in the shape of the route unless the refusal has its own.
    pub fn reply(&self, route: Shape) -> Reply {
        let description = || {
            let mut body = json!({ "errorCode": self.code });
            if !self.fields.is_empty() {
                body["appliesTo"] = json!(self.fields);
            }
            if !self.text.is_empty() {
                body["errorMessage"] = json!(self.text);
            }
            body
        };
        let body: Value = match self.shape.unwrap_or(route) {
            Shape::Messages => json!([{ "message": self.text }]),
            Shape::Message => json!({ "message": self.text }),
            Shape::Descriptions => json!([description()]),
            Shape::Description => description(),
            Shape::Entity => json!({ "errors": [description()] }),
            Shape::Entities => json!([{ "errors": [description()] }]),
            Shape::Empty => return Reply::empty(self.status),
        };
        Reply::json(self.status, &body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(problem: &Problem, shape: Shape) -> String {
        String::from_utf8(problem.reply(shape).body).unwrap()
    }

    #[test]
    fn each_shape_is_written_as_described() {
        let problem = Problem::too_long("surName", 50);
        let text = r#"The value for the field \"surName\" can only be 50 characters long."#;
        assert_eq!(body(&problem, Shape::Messages), format!(r#"[{{"message":"{text}"}}]"#));
        assert_eq!(body(&problem, Shape::Message), format!(r#"{{"message":"{text}"}}"#));
        let inner = format!(r#"{{"errorCode":"bad_request","appliesTo":["surName"],"errorMessage":"{text}"}}"#);
        assert_eq!(body(&problem, Shape::Descriptions), format!("[{inner}]"));
        assert_eq!(body(&problem, Shape::Entity), format!(r#"{{"errors":[{inner}]}}"#));
        assert_eq!(body(&problem, Shape::Entities), format!(r#"[{{"errors":[{inner}]}}]"#));
        let duplicate = Problem::code("duplicate_value", "name");
        assert_eq!(
            body(&duplicate, Shape::Messages),
            r#"{"errorCode":"duplicate_value","appliesTo":["name"]}"#
        );
        assert_eq!(body(&Problem::not_acceptable(), Shape::Messages), "");
    }
}
