//! Reports of findings made by hand: what each format says, and that none says it wrongly.

mod example;

use example::{coupon, rendered, shop, withdrawal};
use racelint::report::{Format, Options};

#[test]
fn look() {
    let workspace = shop();
    let findings = [coupon(&workspace), withdrawal(&workspace)];
    let o = Options { unicode: true, ..Options::default() };
    println!("{}", rendered(Format::Text, &workspace, &findings, &o));
    let o = Options { width: 80, ..Options::default() };
    println!("{}", rendered(Format::Text, &workspace, &findings, &o));
    for f in Format::ALL {
        if f != Format::Text {
            println!("===== {f}\n{}", rendered(f, &workspace, &findings, &o));
            std::fs::write(format!("/tmp/report-out.{f}"), rendered(f, &workspace, &findings, &o)).unwrap();
        }
    }
}
