//! Which programs of an object use which of its sections and maps: what their instructions, and those of the functions that
//! they call, refer to.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use object::{Object as _, ObjectSection as _, ObjectSymbol as _, RelocationTarget, SectionKind, SymbolKind};

use crate::object::is_data;

/// Instructions: a call, the first half of a load of 64 bits.
const CALL: u8 = 0x85;
const LOAD: u8 = 0x18;
/// In a call's source register: it calls a function of the object.
const PSEUDO_CALL: u8 = 1;
const INSTRUCTION_LEN: u64 = 8;

/// A place in the file: a section, and a byte in it.
type Place = (usize, u64);

#[derive(Default)]
struct Function {
    name: String,
    end: u64,
    is_program: bool,
    uses: BTreeSet<String>,
    calls: Vec<Place>,
}

/// For each program the sections and maps that it uses. `externs` are the variables of `.kconfig`.
pub(crate) fn of_programs(
    file: &object::File<'_>,
    externs: &HashSet<&str>,
) -> object::Result<BTreeMap<String, BTreeSet<String>>> {
    let mut functions = functions(file)?;
    let maps = maps(file)?;
    for section in file.sections().filter(|section| section.kind() == SectionKind::Text) {
        let code = section.data()?;
        let mut relocated = HashSet::new();
        for (at, relocation) in section.relocations() {
            relocated.insert(at);
            let RelocationTarget::Symbol(index) = relocation.target() else { continue };
            let symbol = file.symbol_by_index(index)?;
            let Some(function) = containing(&mut functions, (section.index().0, at)) else { continue };
            let Some(target) = symbol.section_index() else {
                if externs.contains(symbol.name()?) {
                    function.uses.insert(".kconfig".to_owned());
                }
                continue;
            };
            let Some(instruction) = instruction(code, at) else { continue };
            let place = (target.0, symbol.address().wrapping_add(instruction.addend()));
            let name = file.section_by_index(target)?.name()?;
            match maps.get(&place) {
                Some(map) => drop(function.uses.insert(map.clone())),
                None if is_data(name) => drop(function.uses.insert(name.to_owned())),
                None => function.calls.push(place),
            }
        }
        // Calls inside of a section need no relocation.
        for at in (0..code.len() as u64).step_by(INSTRUCTION_LEN as usize) {
            let Some(call) = instruction(code, at).filter(Instruction::is_local_call) else { continue };
            if !relocated.contains(&at) {
                let place = (section.index().0, at.wrapping_add(call.addend()));
                containing(&mut functions, (section.index().0, at)).into_iter().for_each(|from| from.calls.push(place));
            }
        }
    }
    let programs: Vec<Place> = functions.iter().filter(|(_, f)| f.is_program).map(|(place, _)| *place).collect();
    Ok(programs.into_iter().map(|place| reached(&functions, place)).collect())
}

/// All functions by their places. What is called from elsewhere is in `.text`; any other section of code holds programs.
fn functions(file: &object::File<'_>) -> object::Result<BTreeMap<Place, Function>> {
    let mut functions = BTreeMap::new();
    for symbol in file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0) {
        let Some(index) = symbol.section_index() else { continue };
        let section = file.section_by_index(index)?;
        if section.kind() == SectionKind::Text {
            let end = symbol.address().saturating_add(symbol.size());
            let is_program = section.name()? != ".text";
            let function = Function { name: symbol.name()?.to_owned(), end, is_program, ..Function::default() };
            functions.insert((index.0, symbol.address()), function);
        }
    }
    Ok(functions)
}

/// The maps that are declared in the object, by their places.
fn maps(file: &object::File<'_>) -> object::Result<HashMap<Place, String>> {
    let Some(section) = file.section_by_name(".maps") else { return Ok(HashMap::new()) };
    let index = section.index();
    let symbols = file.symbols().filter(|symbol| symbol.section_index() == Some(index));
    let variables = symbols.filter(|symbol| symbol.kind() != SymbolKind::Section);
    variables.map(|symbol| Ok(((index.0, symbol.address()), symbol.name()?.to_owned()))).collect()
}

fn containing(functions: &mut BTreeMap<Place, Function>, place: Place) -> Option<&mut Function> {
    let ((section, _), function) = functions.range_mut(..=place).next_back()?;
    (*section == place.0 && place.1 < function.end).then_some(function)
}

/// A program's name, and all that it and the functions that it calls use.
fn reached(functions: &BTreeMap<Place, Function>, program: Place) -> (String, BTreeSet<String>) {
    let mut seen = HashSet::from([program]);
    let mut waiting = vec![program];
    let mut uses = BTreeSet::new();
    while let Some(function) = waiting.pop().and_then(|place| functions.get(&place)) {
        uses.extend(function.uses.iter().cloned());
        waiting.extend(function.calls.iter().filter(|place| functions.contains_key(place) && seen.insert(**place)));
    }
    (functions[&program].name.clone(), uses)
}

struct Instruction {
    code: u8,
    registers: u8,
    immediate: i32,
}

fn instruction(code: &[u8], at: u64) -> Option<Instruction> {
    let bytes = code.get(usize::try_from(at).ok()?..)?.first_chunk::<8>()?;
    let immediate = i32::from_ne_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
    Some(Instruction { code: bytes[0], registers: bytes[1], immediate })
}

impl Instruction {
    fn is_local_call(&self) -> bool {
        self.code == CALL && self.source() == PSEUDO_CALL
    }

    /// The bits of the registers' byte follow the byte order.
    fn source(&self) -> u8 {
        if cfg!(target_endian = "little") { self.registers >> 4 } else { self.registers & 0xf }
    }

    /// How far behind a symbol, or behind the call itself, is what it refers to.
    fn addend(&self) -> u64 {
        match self.code {
            CALL => i64::from(self.immediate).wrapping_add(1).wrapping_mul(INSTRUCTION_LEN as i64) as u64,
            LOAD => i64::from(self.immediate) as u64,
            _ => 0,
        }
    }
}
