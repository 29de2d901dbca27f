use super::*;

fn run() -> Run {
    let measured = |load: &str, server: &str, metrics: &[(&str, &[f64])]| Measured {
        load: load.into(),
        server: server.into(),
        metrics: metrics
            .iter()
            .map(|(id, values)| ((*id).into(), values.to_vec()))
            .collect(),
        remarks: Vec::new(),
    };
    Run {
        date: "2026-01-31".into(),
        machine: Machine {
            cpu: "A & B".into(),
            cores: 2,
            memory: 8,
            system: "Linux".into(),
        },
        versions: [("node".to_owned(), "20".to_owned())].into(),
        quick: false,
        busy: None,
        results: vec![
            measured(
                "room-500",
                "chapter-4",
                &[("cpu", &[7.0, 5.0, 6.0]), ("p99", &[2.0])],
            ),
            measured(
                "room-500",
                "node-4",
                &[("cpu", &[10.0, 8.0, 9.0]), ("p99", &[1.0])],
            ),
        ],
    }
}

#[test]
fn the_median_is_in_the_middle_and_the_spread_around_it() {
    let spread = |values: &[f64]| Spread::of(values).map(|s| (s.median, s.least, s.most));
    assert_eq!(spread(&[]), None);
    assert_eq!(spread(&[3.0]), Some((3.0, 3.0, 3.0)));
    assert_eq!(spread(&[9.0, 1.0, 5.0]), Some((5.0, 1.0, 9.0)));
    assert_eq!(spread(&[4.0, 1.0, 2.0, 100.0]), Some((3.0, 1.0, 100.0)));
}

#[test]
fn a_goal_compares_medians_and_says_whether_it_is_met() {
    let run = run();
    let verdict = |metric| {
        let mut goals = GOALS.iter();
        let goal = goals.find(|goal| goal.load == "room-500" && goal.metric == metric);
        goal.unwrap().verdict(&run).unwrap()
    };
    let cpu = verdict("cpu");
    assert_eq!((cpu.ours, cpu.theirs, cpu.met), (6.0, 9.0, true));
    let p99 = verdict("p99");
    assert_eq!((p99.share, p99.met), (2.0, false));
}

#[test]
fn a_table_shows_what_was_measured_and_nothing_else() {
    let table = table(&run(), "rooms").unwrap();
    assert_eq!(table.rows.len(), 2);
    assert_eq!(table.rows[0][..3], ["One room of 500", "chapter-4", "6.0 (5.0–7.0)"]);
    assert_eq!(table.rows[0].last().unwrap(), "–");
    assert!(table.html().contains("rowspan=\"2\""));
    assert!(!table.html().contains("\n\n"));
    let missing = super::table(&run(), "idle").unwrap_err().to_string();
    assert!(missing.contains("has nothing for the table `idle`"), "{missing}");
    let unknown = super::table(&run(), "room").unwrap_err().to_string();
    assert!(
        unknown.contains("there is no table `room`; there are echo, rooms"),
        "{unknown}"
    );
}

#[test]
fn a_run_on_a_busy_machine_says_so() {
    assert!(!run().about().contains("other work"));
    let busy = Run { busy: Some(30.2), ..run() }.about();
    assert!(busy.contains("other work meanwhile (a load of 30)"), "{busy}");
}

#[test]
fn a_plot_needs_no_colour_and_escapes_nothing_twice() {
    let svg = plot(&run(), "cpu").unwrap();
    assert!(svg.contains("url(#hatched-cpu)") && svg.contains("currentColor"));
    assert!(!svg.contains("\n\n") && !svg.contains('&'));
    assert!(plot(&run(), "memory").is_err());
}

#[test]
fn every_goal_is_about_something_that_exists() {
    for goal in GOALS {
        title(&LOADS, goal.load).unwrap();
        metric(goal.metric).unwrap();
        for server in [goal.ours, goal.theirs] {
            title(&SERVERS, server).unwrap();
        }
    }
}

#[test]
fn large_numbers_are_rounded_and_grouped() {
    let show = |id, value| metric(id).unwrap().show(value);
    assert_eq!(show("rate", 123_456.7), "123,500");
    assert_eq!(show("rate", 9_876.4), "9,876");
    assert_eq!(show("handshake-cpu", 87.6), "88");
    assert_eq!(show("memory", 17.64), "17.6");
}

#[test]
fn a_file_that_is_no_run_is_refused_with_its_name() {
    let folder = std::env::temp_dir().join(format!("measured-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let empty = Run::newest(&folder).unwrap_err().to_string();
    assert!(empty.contains("there is no run in"), "{empty}");
    let file = folder.join("2026-01-31.json");
    let refused = |text: &str| {
        fs::write(&file, text).unwrap();
        format!("{:#}", Run::newest(&folder).unwrap_err())
    };
    let broken = refused("{");
    assert!(broken.contains("2026-01-31.json is not a run"), "{broken}");
    let mut strange = run();
    strange.results[0].load = "room-5000".into();
    let strange = refused(&serde_json::to_string(&strange).unwrap());
    assert!(strange.contains("there is no `room-5000`"), "{strange}");
    fs::write(&file, serde_json::to_string(&run()).unwrap()).unwrap();
    assert_eq!(Run::newest(&folder).unwrap(), run());
    fs::remove_dir_all(folder).unwrap();
}
