//! try
use bpfvar::Globals;
use bpfvar_objects::{Source, load};
fn main() {
    for source in [Source::Count, Source::Kinds, Source::Maps, Source::Twin, Source::Tail, Source::Custom] {
        let loaded = load(source);
        loaded.run(3);
        let globals = Globals::of_program_named(&loaded.programs[0].name).unwrap();
        for section in globals.sections() {
            println!("== {section} {:?}", section.reach().unwrap());
            for var in section.vars() {
                println!(
                    "  {:4} {:4} {:?} {} {} = {}",
                    var.offset(),
                    var.size(),
                    var.linkage(),
                    var.type_name(),
                    var.path(),
                    match var.read() {
                        Ok(v) => v.to_string(),
                        Err(e) => format!("ERR {e}"),
                    }
                );
            }
        }
    }
    let loaded = load(Source::Kinds);
    let globals = Globals::of_program_named(&loaded.programs[0].name).unwrap();
    for var in globals.vars() {
        print!("{}", var.declaration());
    }
    drop(loaded);
    let loaded = load(Source::Count);
    let globals = Globals::of_program_named("count").unwrap();
    println!("{:?}", globals.var("sampling").unwrap().set("100"));
    println!("{:?}", globals.var("sampling").unwrap().field::<u32>());
    println!("{:?}", globals.var("sampling").unwrap().field::<i32>());
    println!("{:?}", globals.var("config").unwrap().set(r#"{"rate": 7, "mode": "FAST", "limits": [{"burst":1,"delta":-1},{"burst":2,"delta":-2},{"burst":3},{"burst":4}]}"#));
    println!("{:?}", globals.var("config").unwrap().read().unwrap().to_string());
    println!("{:?}", globals.var("config.limits[4].burst"));
    println!("{:?}", globals.var("config.mode").unwrap().set("BAD"));
    println!("{:?}", globals.var("config.enabled").unwrap().set("2"));
    println!("{:?}", globals.var("knob").unwrap().set("300"));
    println!("{:?}", globals.var("knob").unwrap().add("300"));
    println!("{:?}", globals.var("knob").unwrap().add("30"));
    println!("{:?}", globals.var("knob").unwrap().compare_exchange("30", "31"));
    println!("{:?}", globals.var("label").unwrap().set("wlan0"));
    println!("{:?}", globals.var("version").unwrap().set("5"));
    println!("{:?}", globals.var("nothing"));
}
