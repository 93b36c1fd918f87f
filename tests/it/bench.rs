//! `mezhved bench`: it drives a gateway of its own, and its figures are about what was delivered.

use crate::support::mezhved;

#[test]
fn a_scenario_gives_figures_that_can_be_compared() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("figures.json");
    let shown = file.display().to_string();
    let ran = mezhved(&["bench", "--seconds", "1", "--only", "HTTP-HTTP, SQLite", "--json", &shown]).done();
    assert!(ran.stdout.contains("вручено в секунду / delivered a second"), "{ran}");
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let [scenario] = report["scenarios"].as_array().unwrap().as_slice() else { panic!("{report}") };
    for figure in ["accepted_per_second", "delivered_per_second", "cpu_us", "cryptography_us", "commits", "peak_mib"] {
        assert!(scenario[figure].as_f64().unwrap() > 0.0, "{figure}: {report}");
    }
    assert_eq!(scenario["repeated"], 0, "{report}");
    let compared = mezhved(&["bench", "--compare", &shown, &shown]).done();
    assert!(compared.stdout.contains("HTTP-HTTP, SQLite") && compared.stdout.contains("1.00x"), "{compared}");
}

#[test]
fn what_is_no_report_and_no_scenario_is_said() {
    let refused = mezhved(&["bench", "--compare", "Cargo.toml", "Cargo.toml"]);
    assert!(refused.status == Some(1) && refused.stderr.contains("Cargo.toml"), "{refused}");
    let told = mezhved(&["bench", "--only", "HTTP-AMQP, SQLite"]).done();
    assert!(told.stdout.contains("--amqp URL"), "{told}");
    let refused = mezhved(&["bench", "--only", "carrier pigeon"]);
    assert!(refused.status == Some(1) && refused.stderr.contains("carrier pigeon"), "{refused}");
}
