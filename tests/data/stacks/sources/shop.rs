//! Fails in many ways; prints a line `group|message` and the backtrace a failure, as a panic hook sends it.
use std::backtrace::Backtrace;
use std::collections::HashMap;
use std::panic;

struct Shelf {
    counts: HashMap<String, Vec<u32>>,
}

impl Shelf {
    fn take(&self, sku: &str, n: usize) -> u32 {
        self.counts.get(sku).map(|c| c[n]).unwrap_or(0)
    }
    fn first(&self, sku: &str) -> u32 {
        *self.counts.get(sku).unwrap().first().unwrap()
    }
}

fn parse(text: &str) -> u32 {
    text.parse::<u32>().expect("a quantity")
}

fn depth(n: u32) -> u32 {
    if n == 0 {
        panic!("leaf {} is empty", std::process::id());
    }
    1 + depth(n - 1)
}

fn price(discount: u32) -> u32 {
    100 / discount
}

fn total(values: &[u32]) -> u32 {
    values.iter().map(|v| v.checked_sub(7).unwrap()).sum()
}

fn reserve(shelf: &Shelf) -> u32 {
    shelf.take("tea", 3)
}

fn job(shelf: &Shelf) -> u32 {
    (4..9).map(|n| shelf.take("tea", n)).sum()
}

fn tell<F: FnOnce() -> u32 + panic::UnwindSafe>(group: &str, run: F) {
    println!("@@{group}");
    let _ = panic::catch_unwind(run);
}

fn main() {
    panic::set_hook(Box::new(|info| {
        println!("@message {}", info.payload_as_str().unwrap_or(""));
        println!("{}", Backtrace::force_capture());
    }));
    let make = || Shelf { counts: HashMap::from([("tea".to_string(), vec![1])]) };
    tell("not so many", move || reserve(&make()));
    tell("not so many", move || job(&make()));
    tell("unknown item", move || make().first("coffee"));
    tell("no number", || parse("seven"));
    tell("no number", || parse("-12"));
    tell("empty leaf", || depth(0));
    tell("empty leaf", || depth(14));
    tell("no discount", || price(std::env::args().count() as u32 - 1));
    tell("below seven", || total(&[9, 3]));
}
