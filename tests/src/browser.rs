//! A browser without a screen, for logins in tests: cookies, redirects followed by hand, forms filled in. What
//! needs a real one (layout, keyboard, screen readers) is tested in Chromium.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Method, StatusCode, Url};

/// What went wrong.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Most redirects in a row.
const MAX_HOPS: usize = 20;

/// A browser with cookies per host and port.
pub struct Browser {
    client: Client,
    cookies: BTreeMap<String, BTreeMap<String, String>>,
    /// Sent as `Accept-Language`.
    pub language: &'static str,
}

/// Where a browser ended up.
#[derive(Debug, Clone)]
pub enum Place {
    /// A page.
    Page(Page),
    /// An address that the browser does not open: the app's, which begins with what was given to look out for.
    App(String),
}

/// A page that was shown.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its address.
    pub url: Url,
    /// The status it came with.
    pub status: StatusCode,
    /// Its text.
    pub html: String,
}

/// A form of a page.
#[derive(Debug, Clone)]
pub struct Form {
    /// Where it goes.
    pub action: Url,
    /// Whether it is posted.
    pub post: bool,
    /// Its fields with the values that stand in them, in order; buttons are not among them.
    pub fields: Vec<(String, String)>,
    /// Its buttons that have a name.
    pub buttons: Vec<(String, String)>,
}

impl Form {
    /// Fills in a field; adds it if the form does not have it.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Leaves a field out.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self
    }

    /// Whether it has a field of that name.
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(known, _)| known == name)
    }
}

impl Page {
    /// Its forms.
    pub fn forms(&self) -> Vec<Form> {
        let Ok(dom) = tl::parse(&self.html, tl::ParserOptions::default()) else { return Vec::new() };
        let parser = dom.parser();
        let Some(forms) = dom.query_selector("form") else { return Vec::new() };
        let text = |tag: &tl::HTMLTag<'_>, name: &str| {
            let value = tag.attributes().get(name)??;
            Some(unescaped(&value.as_utf8_str()))
        };
        let mut found = Vec::new();
        for tag in forms.filter_map(|handle| handle.get(parser)).filter_map(|node| node.as_tag()) {
            let action = text(tag, "action").unwrap_or_default();
            let Ok(action) = self.url.join(&action) else { continue };
            let post = text(tag, "method").is_some_and(|method| method.eq_ignore_ascii_case("post"));
            let mut form = Form { action, post, fields: Vec::new(), buttons: Vec::new() };
            let inside = |selector| tag.query_selector(parser, selector).into_iter().flatten();
            for handle in inside("input").chain(inside("select")).chain(inside("textarea")) {
                let Some(input) = handle.get(parser).and_then(tl::Node::as_tag) else { continue };
                let Some(name) = text(input, "name") else { continue };
                let value = text(input, "value").unwrap_or_default();
                match text(input, "type").as_deref() {
                    Some("submit") => form.buttons.push((name, value)),
                    Some("checkbox" | "radio") if input.attributes().get("checked").is_none() => {}
                    _ => form.fields.push((name, value)),
                }
            }
            for handle in inside("button") {
                let Some(button) = handle.get(parser).and_then(tl::Node::as_tag) else { continue };
                if let Some(name) = text(button, "name") {
                    form.buttons.push((name, text(button, "value").unwrap_or_default()));
                }
            }
            found.push(form);
        }
        found
    }

    /// The form that has a field or a button of that name.
    ///
    /// # Errors
    /// There is none; the error shows the page.
    pub fn form_with(&self, name: &str) -> Result<Form, Failure> {
        let found = self
            .forms()
            .into_iter()
            .find(|form| form.has(name) || form.buttons.iter().any(|(known, _)| known == name));
        found.ok_or_else(|| {
            format!("no form with {name} at {} ({}):\n{}", self.url, self.status, self.html).into()
        })
    }

    /// Addresses of its links.
    pub fn links(&self) -> Vec<Url> {
        let Ok(dom) = tl::parse(&self.html, tl::ParserOptions::default()) else { return Vec::new() };
        let parser = dom.parser();
        let links = dom.query_selector("a[href]").into_iter().flatten();
        let hrefs = links.filter_map(|handle| {
            let href = handle.get(parser)?.as_tag()?.attributes().get("href")??;
            self.url.join(&unescaped(&href.as_utf8_str())).ok()
        });
        hrefs.collect()
    }
}

fn host_of(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(0))
}

fn unescaped(text: &str) -> String {
    let text =
        text.replace("&quot;", "\"").replace("&#34;", "\"").replace("&#x27;", "'").replace("&#39;", "'");
    let text = text.replace("&lt;", "<").replace("&#60;", "<").replace("&gt;", ">").replace("&#62;", ">");
    text.replace("&#38;", "&").replace("&amp;", "&")
}

impl Browser {
    /// A browser without cookies.
    ///
    /// # Errors
    /// The client cannot be made.
    pub fn new() -> Result<Self, Failure> {
        let provider = rustls::crypto::ring::default_provider().into();
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(30))
            .build()?;
        Ok(Self { client, cookies: BTreeMap::new(), language: "it" })
    }

    /// Keeps a cookie of a site, as if it had been set there.
    ///
    /// # Errors
    /// The site is no address.
    pub fn plant(&mut self, site: &str, name: &str, value: &str) -> Result<(), Failure> {
        let jar = self.cookies.entry(host_of(&Url::parse(site)?)).or_default();
        jar.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    /// Opens an address and follows redirects to a page, or to an address that begins with `app`.
    ///
    /// # Errors
    /// Nobody answers, or the redirects do not end.
    pub async fn open(&mut self, url: &str, app: &str) -> Result<Place, Failure> {
        self.go(Method::GET, Url::parse(url)?, None, app).await
    }

    /// Sends a form in, and goes on as [`Self::open`] does. `button` is the one pressed, if it has a name.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn submit(&mut self, form: &Form, button: Option<&str>, app: &str) -> Result<Place, Failure> {
        let mut fields = form.fields.clone();
        fields.extend(form.buttons.iter().find(|(name, _)| Some(name.as_str()) == button).cloned());
        self.send(form, &fields, app).await
    }

    /// Sends a form in by the button that has this value.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn press(&mut self, form: &Form, value: &str, app: &str) -> Result<Place, Failure> {
        let mut fields = form.fields.clone();
        let button = form.buttons.iter().find(|(_, known)| known == value);
        fields.push(button.cloned().ok_or_else(|| format!("no button {value}"))?);
        self.send(form, &fields, app).await
    }

    async fn send(&mut self, form: &Form, fields: &[(String, String)], app: &str) -> Result<Place, Failure> {
        let mut url = form.action.clone();
        if form.post {
            let mut packed = Url::parse("http://form/")?;
            packed.query_pairs_mut().extend_pairs(fields);
            let body = packed.query().unwrap_or_default().to_owned();
            return self.go(Method::POST, url, Some(body), app).await;
        }
        url.query_pairs_mut().clear().extend_pairs(fields);
        self.go(Method::GET, url, None, app).await
    }

    async fn go(
        &mut self,
        method: Method,
        url: Url,
        body: Option<String>,
        app: &str,
    ) -> Result<Place, Failure> {
        let (mut method, mut url, mut body) = (method, url, body);
        for _ in 0..MAX_HOPS {
            let mut request = self.client.request(method.clone(), url.clone());
            request = request.header("accept", "text/html").header("accept-language", self.language);
            let host = host_of(&url);
            if let Some(jar) = self.cookies.get(&host).filter(|jar| !jar.is_empty()) {
                let pairs: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
                request = request.header(COOKIE, pairs.join("; "));
            }
            if let Some(body) = body.take() {
                let origin = url.origin().ascii_serialization();
                request = request
                    .header("content-type", "application/x-www-form-urlencoded")
                    .header("origin", origin)
                    .body(body);
            }
            let response = request.send().await?;
            let jar = self.cookies.entry(host).or_default();
            for cookie in response.headers().get_all(SET_COOKIE) {
                let text = cookie.to_str()?;
                let (pair, attributes) = text.split_once(';').unwrap_or((text, ""));
                let Some((name, value)) = pair.split_once('=') else { continue };
                if value.is_empty() || attributes.to_ascii_lowercase().contains("max-age=0") {
                    jar.remove(name.trim());
                } else {
                    jar.insert(name.trim().to_owned(), value.trim().to_owned());
                }
            }
            let status = response.status();
            if let Some(location) = response.headers().get(LOCATION).filter(|_| status.is_redirection()) {
                let next = location.to_str()?;
                if !app.is_empty() && next.starts_with(app) {
                    return Ok(Place::App(next.to_owned()));
                }
                url = url.join(next)?;
                if !matches!(status.as_u16(), 307 | 308) {
                    method = Method::GET;
                }
                continue;
            }
            return Ok(Place::Page(Page { url, status, html: response.text().await? }));
        }
        Err("the redirects do not end".into())
    }
}

impl Place {
    /// The page.
    ///
    /// # Errors
    /// It went to the app instead.
    pub fn page(self) -> Result<Page, Failure> {
        match self {
            Self::Page(page) => Ok(page),
            Self::App(_) => Err("the browser went back to the app".into()),
        }
    }

    /// The app's address.
    ///
    /// # Errors
    /// A page was shown instead; the error shows it.
    pub fn app(self) -> Result<String, Failure> {
        match self {
            Self::App(address) => Ok(address),
            Self::Page(page) => {
                Err(format!("{} ({}) instead of the app:\n{}", page.url, page.status, page.html).into())
            }
        }
    }
}
