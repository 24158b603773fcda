//! Runs every target over its kept inputs, on any toolchain: what was found once stays fixed.

use std::path::Path;

#[test]
fn kept_inputs_break_nothing() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, target) in palisade_fuzz::TARGETS {
        let folder = std::fs::read_dir(corpus.join(name)).expect(name);
        let mut count = 0;
        for file in folder {
            let path = file.expect(name).path();
            println!("{}", path.display());
            target(&std::fs::read(&path).expect(name));
            count += 1;
        }
        assert!(count > 0, "{name} has no input");
    }
}
