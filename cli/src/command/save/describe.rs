//! What a variable can be set to, in words.

use bpfvar::{Value, Var};

use super::form::Form;

/// Its type and its possible values.
pub(super) fn describe(var: &Var, value: &Value, form: &Form) -> String {
    let name = var.type_name();
    match values(var, value, form).as_str() {
        "" => name,
        values => format!("{name}{values}"),
    }
}

/// What can stand there, behind the type. Of an array, what each element can be.
fn values(var: &Var, value: &Value, form: &Form) -> String {
    let bits = var.bits().end - var.bits().start;
    match (form, value) {
        (Form::Members(members), Value::Struct(values)) => {
            let member = |((name, form), (_, value)): (&(String, Option<Form>), &(String, Value))| {
                let member = var.at(&format!(".{name}")).ok()?;
                Some(format!(".{name}: {}", describe(&member, value, form.as_ref()?)))
            };
            let members: Vec<String> = members.iter().zip(values).filter_map(member).collect();
            format!(" ({})", members.join("; "))
        }
        (Form::Elements(form), Value::Array(elements)) => match (var.at("[0]"), elements.first()) {
            (Ok(first), Some(element)) => self::values(&first, element, form),
            _ => String::new(),
        },
        _ if var.is_text() => format!(", text of up to {} bytes", var.size().saturating_sub(1)),
        (_, Value::Uint(_)) => format!(", 0 to {}", u128::MAX >> (128 - bits.clamp(1, 128))),
        (_, Value::Int(_)) => {
            let most = i128::MAX >> (128 - bits.clamp(1, 128));
            format!(", {} to {most}", -most - 1)
        }
        (_, Value::Bool(_)) => ", true or false".to_owned(),
        (_, Value::F32(_) | Value::F64(_)) => ", a number, inf or nan".to_owned(),
        (_, Value::Enum { .. }) => {
            // Of those in a bitfield, what it has room for.
            let room = 1_i128 << bits.clamp(1, 126);
            let names = var.enumerators().into_iter().filter(|(_, number)| (-room / 2..room).contains(number));
            let names: Vec<String> = names.map(|(name, number)| format!("{name} ({number})")).collect();
            format!(": {}", names.join(", "))
        }
        (_, Value::Pointer(_)) => ", an address".to_owned(),
        _ => String::new(),
    }
}
