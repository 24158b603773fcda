//! What is proven of a sign-in that is not complete: the password, then the second factor, then a
//! new password where one is due. It travels sealed in the form, for the browser that it was given
//! to, and the server keeps nothing of it.

use super::subject::Subject;
use crate::context::Context;
use crate::errors::internal;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use palisade_shape::Result;
use serde::{Deserialize, Serialize};

/// How long a person may take for the rest.
const LIFE_MILLIS: i64 = 10 * 60 * 1000;
/// Longer texts are none of ours.
const TEXT_BYTES_MAX: usize = 8 * 1024;
const PURPOSE: &str = "signin-step";

/// A password was right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub subject: Subject,
    /// When the password was set that was right: another one voids this.
    pub password_set_millis: i64,
    /// A new password is due.
    pub must_change: bool,
    /// The second factor that was proven, if one was.
    pub factor: Option<Factor>,
    pub issued_millis: i64,
}

/// A second factor that was proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    pub serial_number: String,
    pub at_millis: i64,
}

/// Seals a step for the browser with that cookie.
pub fn seal(cx: &Context, step: &Step, browser: &str) -> Result<String> {
    let json = serde_json::to_vec(step).map_err(internal)?;
    let random = &mut |bytes: &mut [u8]| cx.plane.random.fill(bytes);
    let sealed = cx.plane.sealer.seal(PURPOSE, browser, &json, random).map_err(internal)?;
    Ok(URL_SAFE_NO_PAD.encode(sealed))
}

/// The step that the browser with that cookie was given; none when it is forged, of another
/// browser, or too old.
pub fn open(cx: &Context, text: &str, browser: &str) -> Option<Step> {
    if text.len() > TEXT_BYTES_MAX {
        return None;
    }
    let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
    let json = cx.plane.sealer.unseal(PURPOSE, browser, &sealed).ok()?;
    let step: Step = serde_json::from_slice(&json).ok()?;
    let age = cx.now().millis() - step.issued_millis;
    (0..LIFE_MILLIS).contains(&age).then_some(step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ACCOUNT, Lab, NOW};

    #[test]
    fn a_step_opens_for_its_browser_and_in_time() {
        let lab = Lab::new();
        let step = Step {
            subject: Subject { account: ACCOUNT.into(), id: "AIDA1".into() },
            password_set_millis: 1,
            must_change: false,
            factor: None,
            issued_millis: NOW.millis(),
        };
        let text = lab.read(|cx| seal(cx, &step, "browser")).unwrap();
        let opened = |lab: &Lab, text: &str, browser: &str| {
            lab.read(|cx| Ok(open(cx, text, browser))).unwrap()
        };
        assert_eq!(opened(&lab, &text, "browser"), Some(step));
        assert_eq!(opened(&lab, &text, "other"), None);
        assert_eq!(opened(&lab, "", "browser"), None);
        let mut forged = text.clone().into_bytes();
        forged[20] ^= 1;
        assert_eq!(opened(&lab, &String::from_utf8(forged).unwrap(), "browser"), None);
        assert_eq!(opened(&lab, &"A".repeat(TEXT_BYTES_MAX + 1), "browser"), None);
        assert!(opened(&lab.at(NOW.plus_seconds(599)), &text, "browser").is_some());
        assert_eq!(opened(&lab.at(NOW.plus_seconds(600)), &text, "browser"), None);
        assert_eq!(opened(&lab.at(NOW.plus_seconds(-1)), &text, "browser"), None);
    }
}
