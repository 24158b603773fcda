//! As much of a browser as the pages need: cookies, forms and redirects. No script ever runs.

use crate::support::{Lab, Server};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

pub struct Browser<'a> {
    server: &'a Server,
    pub cookies: BTreeMap<String, String>,
    pub agent: String,
    /// The `Origin` that forms are sent with.
    pub origin: String,
    /// The page that is shown.
    pub page: Page,
}

#[derive(Clone, Debug, Default)]
pub struct Page {
    pub status: u16,
    /// Names in lower case; equal names are joined with line ends.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Page {
    /// The value of a hidden field.
    pub fn hidden(&self, name: &str) -> String {
        let marker = format!("name=\"{name}\" value=\"");
        let rest = self.body.split(&marker).nth(1);
        let rest = rest.unwrap_or_else(|| panic!("no field {name}: {}", self.body));
        rest.split('"').next().unwrap().to_owned()
    }

    pub fn has(&self, text: &str) -> bool {
        self.body.contains(text)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

impl<'a> Browser<'a> {
    pub fn new(lab: &'a Lab) -> Browser<'a> {
        Browser {
            server: &lab.server,
            cookies: BTreeMap::new(),
            agent: "Mozilla/5.0 (test)".to_owned(),
            origin: lab.server.url.clone(),
            page: Page::default(),
        }
    }

    pub fn get(&mut self, path: &str) -> &Page {
        self.send("GET", path, "", "");
        self.follow()
    }

    /// Sends a form of the page that is shown, with its token and, where it has one, its step.
    pub fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> &Page {
        let mut all = vec![("csrf", self.page.hidden("csrf"))];
        if self.page.has("name=\"step\"") {
            all.push(("step", self.page.hidden("step")));
        }
        all.extend(fields.iter().map(|(name, value)| (*name, (*value).to_owned())));
        self.post(path, &form(&all), "");
        self.follow()
    }

    pub fn post(&mut self, path: &str, body: &str, headers: &str) -> &Page {
        let origin = format!("Origin: {}\r\n", self.origin);
        let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
        self.send("POST", path, &format!("{kind}{origin}{headers}"), body)
    }

    fn follow(&mut self) -> &Page {
        for _ in 0..5 {
            let Some(location) = self.page.headers.get("location").cloned() else { break };
            self.send("GET", &location, "", "");
        }
        &self.page
    }

    pub fn send(&mut self, method: &str, path: &str, headers: &str, body: &str) -> &Page {
        let pairs: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookie = match pairs.is_empty() {
            true => String::new(),
            false => format!("Cookie: {}\r\n", pairs.join("; ")),
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\n{cookie}{headers}\
             Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
            self.server.address(),
            self.agent,
            body.len()
        );
        let mut stream = TcpStream::connect(self.server.address()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let mut page = Page { status, body: body.to_owned(), ..Page::default() };
        for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
            let name = name.to_lowercase();
            if name == "set-cookie" {
                self.keep(value);
            }
            let known = page.headers.entry(name).or_default();
            *known = if known.is_empty() { value.to_owned() } else { format!("{known}\n{value}") };
        }
        self.page = page;
        &self.page
    }

    fn keep(&mut self, cookie: &str) {
        let (pair, rest) = cookie.split_once("; ").unwrap();
        assert!(rest.contains("HttpOnly") && rest.contains("SameSite=Lax"), "{cookie}");
        let (name, value) = pair.split_once('=').unwrap();
        if rest.contains("Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    /// Fills in the form of users.
    pub fn sign_in(&mut self, account: &str, name: &str, password: &str) -> &Page {
        self.get("/_palisade/signin/");
        let fields =
            [("as", "user"), ("account", account), ("username", name), ("password", password)];
        self.submit("/_palisade/signin/", &fields)
    }

    /// Fills in the form of root users.
    pub fn sign_in_as_root(&mut self, email: &str, password: &str) -> &Page {
        self.get("/_palisade/signin/");
        let fields = [("as", "root"), ("email", email), ("password", password)];
        self.submit("/_palisade/signin/", &fields)
    }

    pub fn session_cookie(&self) -> Option<&String> {
        self.cookies.get("palisade-session")
    }

    /// Who the server says is signed in; none for nobody.
    pub fn who(&mut self) -> Option<Value> {
        self.send("GET", "/_palisade/signin/session", "", "");
        (self.page.status == 200).then(|| self.page.json())
    }
}

pub fn form(fields: &[(&str, String)]) -> String {
    let pairs = fields.iter().map(|(name, value)| format!("{name}={}", escaped(value)));
    pairs.collect::<Vec<_>>().join("&")
}

pub fn escaped(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    text.bytes().map(one).collect()
}
