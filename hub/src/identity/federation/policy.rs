//! The anchor's metadata policy: what an entity says of itself, narrowed to what the federation allows.
//!
//! Source: OpenID Federation 1.0 §6.1. There is no intermediate between an anchor and a provider in SPID and CIE, so
//! that policies are applied and never merged. Operators that are not known are ignored unless the anchor calls them
//! critical.

use serde_json::{Map, Value};

/// Why metadata do not pass.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The policy does not read, or demands an operator that is not understood.
    #[error("the metadata policy cannot be applied")]
    Unreadable,
    /// A parameter is not what the policy demands.
    #[error("the metadata policy does not allow what the entity says of itself")]
    Violated,
}

type Applied<T> = Result<T, PolicyError>;

/// The operators, in the order in which they are applied.
const OPERATORS: [&str; 7] = ["value", "add", "default", "one_of", "subset_of", "superset_of", "essential"];

/// Applies a policy to the metadata of one entity type. `critical` are the operators that must be understood
/// (`metadata_policy_crit`).
pub fn apply(
    metadata: &Map<String, Value>,
    policy: &Map<String, Value>,
    critical: &[String],
) -> Applied<Map<String, Value>> {
    if critical.iter().any(|operator| !OPERATORS.contains(&operator.as_str())) {
        return Err(PolicyError::Unreadable);
    }
    let mut result = metadata.clone();
    for (parameter, operators) in policy {
        let operators = operators.as_object().ok_or(PolicyError::Unreadable)?;
        // `scope` is a list that is written as text (RFC 6749 §3.3).
        let is_text_list = parameter == "scope";
        let mut value = result.remove(parameter).filter(|value| !value.is_null());
        if is_text_list {
            value = value.map(split);
        }
        for operator in OPERATORS {
            if let Some(operand) = operators.get(operator) {
                value = operate(operator, value, operand)?;
            }
        }
        if is_text_list {
            value = value.map(join);
        }
        if let Some(value) = value {
            result.insert(parameter.clone(), value);
        }
    }
    Ok(result)
}

fn operate(operator: &str, value: Option<Value>, operand: &Value) -> Applied<Option<Value>> {
    let list = || operand.as_array().ok_or(PolicyError::Unreadable);
    Ok(match operator {
        "value" if operand.is_null() => None,
        "value" => Some(operand.clone()),
        "add" => {
            let mut sum = value.as_ref().map_or(Ok(Vec::new()), elements)?;
            let missing: Vec<_> =
                elements(operand)?.into_iter().filter(|element| !sum.contains(element)).collect();
            sum.extend(missing);
            Some(Value::Array(sum))
        }
        "default" => value.or_else(|| Some(operand.clone())),
        "one_of" => match value {
            Some(value) if !list()?.contains(&value) => return Err(PolicyError::Violated),
            value => value,
        },
        // An intersection of nothing stays as an empty list: nothing is allowed, which is not the same as nothing
        // having been said.
        "subset_of" => match value {
            Some(value) => {
                let allowed = list()?;
                Some(elements(&value)?.into_iter().filter(|element| allowed.contains(element)).collect())
            }
            None => None,
        },
        "superset_of" => match value {
            Some(value) => {
                let given = elements(&value)?;
                if list()?.iter().any(|element| !given.contains(element)) {
                    return Err(PolicyError::Violated);
                }
                Some(value)
            }
            None => None,
        },
        "essential" => {
            let demanded = operand.as_bool().ok_or(PolicyError::Unreadable)?;
            let is_empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
            if demanded && value.as_ref().is_none_or(is_empty) {
                return Err(PolicyError::Violated);
            }
            value
        }
        _ => return Err(PolicyError::Unreadable),
    })
}

/// A list, or one value as a list of one.
fn elements(value: &Value) -> Applied<Vec<Value>> {
    match value {
        Value::Array(list) => Ok(list.clone()),
        Value::Object(_) | Value::Null => Err(PolicyError::Unreadable),
        single => Ok(vec![single.clone()]),
    }
}

fn split(value: Value) -> Value {
    match value {
        Value::String(text) => text.split_ascii_whitespace().map(Value::from).collect(),
        value => value,
    }
}

fn join(value: Value) -> Value {
    match value {
        Value::Array(list) => {
            Value::String(list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "))
        }
        value => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn applied(metadata: Value, policy: Value) -> Applied<Value> {
        apply(metadata.as_object().unwrap(), policy.as_object().unwrap(), &[]).map(Value::Object)
    }

    /// One parameter `p`: what it was, the policy, what becomes of it (`null`: it is gone).
    fn one(before: Value, policy: Value) -> Applied<Value> {
        let metadata = if before.is_null() { json!({}) } else { json!({ "p": before }) };
        Ok(applied(metadata, json!({ "p": policy }))?.get("p").cloned().unwrap_or(Value::Null))
    }

    #[test]
    fn each_operator_does_what_the_specification_says() {
        for (before, policy, after) in [
            (json!("a"), json!({ "value": "b" }), Ok(json!("b"))),
            (json!("a"), json!({ "value": null }), Ok(Value::Null)),
            (Value::Null, json!({ "value": ["b"] }), Ok(json!(["b"]))),
            (json!(["a"]), json!({ "add": ["a", "b"] }), Ok(json!(["a", "b"]))),
            (Value::Null, json!({ "add": "b" }), Ok(json!(["b"]))),
            (Value::Null, json!({ "default": "d" }), Ok(json!("d"))),
            (json!("a"), json!({ "default": "d" }), Ok(json!("a"))),
            (json!("a"), json!({ "one_of": ["a", "b"] }), Ok(json!("a"))),
            (json!("c"), json!({ "one_of": ["a", "b"] }), Err(PolicyError::Violated)),
            (Value::Null, json!({ "one_of": ["a"] }), Ok(Value::Null)),
            (json!(["a", "c"]), json!({ "subset_of": ["a", "b"] }), Ok(json!(["a"]))),
            (json!(["c"]), json!({ "subset_of": ["a"] }), Ok(json!([]))),
            (Value::Null, json!({ "subset_of": ["a"] }), Ok(Value::Null)),
            (json!(["a", "c"]), json!({ "superset_of": ["a"] }), Ok(json!(["a", "c"]))),
            (json!(["c"]), json!({ "superset_of": ["a"] }), Err(PolicyError::Violated)),
            (Value::Null, json!({ "superset_of": ["a"] }), Ok(Value::Null)),
            (Value::Null, json!({ "essential": true }), Err(PolicyError::Violated)),
            (Value::Null, json!({ "essential": false }), Ok(Value::Null)),
            (json!("a"), json!({ "essential": true }), Ok(json!("a"))),
            // Together: values first, then checks.
            (
                Value::Null,
                json!({ "default": ["a"], "superset_of": ["a"], "essential": true }),
                Ok(json!(["a"])),
            ),
            (json!(["c"]), json!({ "subset_of": ["a"], "essential": true }), Err(PolicyError::Violated)),
            (json!(["c"]), json!({ "value": "z", "one_of": ["a"] }), Err(PolicyError::Violated)),
            // What does not read is no permission.
            (json!("a"), json!({ "one_of": "a" }), Err(PolicyError::Unreadable)),
            (json!("a"), json!({ "essential": "yes" }), Err(PolicyError::Unreadable)),
            (json!({ "a": 1 }), json!({ "subset_of": ["a"] }), Err(PolicyError::Unreadable)),
            (json!("a"), json!("b"), Err(PolicyError::Unreadable)),
            // Unknown operators are ignored.
            (json!("a"), json!({ "regexp": "b" }), Ok(json!("a"))),
        ] {
            assert_eq!(one(before.clone(), policy.clone()), after, "{before} {policy}");
        }
    }

    #[test]
    fn an_unknown_operator_that_is_critical_stops() {
        let (metadata, policy) = (Map::new(), Map::new());
        assert_eq!(apply(&metadata, &policy, &["regexp".to_owned()]), Err(PolicyError::Unreadable));
        assert!(apply(&metadata, &policy, &["one_of".to_owned()]).is_ok());
    }

    #[test]
    fn scopes_are_a_list_and_other_parameters_stay() {
        let metadata = json!({ "scope": "openid profile", "other": 1 });
        let policy = json!({ "scope": { "subset_of": ["openid"] } });
        assert_eq!(applied(metadata, policy), Ok(json!({ "scope": "openid", "other": 1 })));
    }
}
