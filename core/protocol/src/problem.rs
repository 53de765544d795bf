//! Errors of REST: problem details (RFC 9457).

use innsync_domain::{EntityRef, ErrorClass, FieldConflict, Rejection};
use serde::{Deserialize, Serialize};

use crate::op::EntityRow;

/// The media type of a problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Why a request failed (RFC 9457), with the error class that a phone acts on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// `about:blank`: the status says it all, with `code`.
    #[serde(rename = "type")]
    pub problem_type: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong with this request, in English, with what to do.
    pub detail: String,
    /// The reason, for programs: `TOKEN_EXPIRED`, `INVALID_FIELD`, `VERSION_CONFLICT`, …
    pub code: String,
    /// What a phone does about it.
    pub class: ErrorClass,
    /// The entity that stood in the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<EntityRef>,
    /// The field that is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Of a version conflict: the entity as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<EntityRow>,
    /// Of a version conflict: the fields in conflict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldConflict>,
}

impl Problem {
    /// A problem with the given status, code and detail; the class follows from the status.
    pub fn new(status: u16, code: &str, detail: impl Into<String>) -> Self {
        let (title, class) = match status {
            400 => ("Bad Request", ErrorClass::Permanent),
            401 => ("Unauthorized", ErrorClass::Auth),
            403 => ("Forbidden", ErrorClass::Permanent),
            404 => ("Not Found", ErrorClass::Permanent),
            405 => ("Method Not Allowed", ErrorClass::Permanent),
            409 => ("Conflict", ErrorClass::Conflict),
            413 => ("Content Too Large", ErrorClass::Permanent),
            415 => ("Unsupported Media Type", ErrorClass::Permanent),
            422 => ("Unprocessable Content", ErrorClass::Permanent),
            426 => ("Upgrade Required", ErrorClass::Incompatible),
            429 => ("Too Many Requests", ErrorClass::Transient),
            503 => ("Service Unavailable", ErrorClass::Transient),
            _ => ("Internal Server Error", ErrorClass::Transient),
        };
        Self {
            problem_type: "about:blank".to_owned(),
            title: title.to_owned(),
            status,
            detail: detail.into(),
            code: code.to_owned(),
            class,
            entity: None,
            field: None,
            current: None,
            fields: Vec::new(),
        }
    }

    /// The problem that a refused command is: 404, 403, 409 or 422.
    pub fn from_rejection(rejection: &Rejection) -> Self {
        use innsync_domain::Reason;
        let status = match rejection.reason {
            Reason::NotFound => 404,
            Reason::Forbidden | Reason::NotOnDuty | Reason::WrongAuthor => 403,
            _ => 422,
        };
        Self {
            class: rejection.class.clone(),
            entity: rejection.entity.clone(),
            field: rejection.field.clone(),
            ..Self::new(status, rejection.reason.as_str(), rejection.message.clone())
        }
    }
}
