//! Who we are: what a registry asks for, and the tokens that answer it.
//! <https://distribution.github.io/distribution/spec/auth/>
//!
//! A registry that wants an account answers 401 and says how: `Basic`, or `Bearer` with the address of a token service. Tokens
//! are kept by what they allow, so that each is asked for once. An account is sent to the registry and to its token service,
//! to the latter only by TLS (or without, where the registry itself may be spoken to so).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, WWW_AUTHENTICATE};
use reqwest::{Method, StatusCode, Url};
use serde::Deserialize;

use super::http::{Call, Http, Payload, authority};
use super::target::Target;
use super::trouble::Trouble;
use crate::workspace::Account;

/// Longest answer of a token service.
const TOKEN_BODY: u64 = 1024 * 1024;
/// How we call ourselves where a name is asked for.
const CLIENT: &str = "groupage";

/// What the header says. It prints as its kind only.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Authorization {
    Basic { user: String, password: String },
    Bearer(String),
}

impl fmt::Debug for Authorization {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Basic { .. } => "basic",
            Self::Bearer(_) => "bearer",
        })
    }
}

/// What a request wants to do, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Access {
    pub target: Target,
    /// To write, too.
    pub push: bool,
    /// Another repository that is read: the source of a mount.
    pub from: Option<String>,
}

impl Access {
    pub fn pull(target: &Target) -> Self {
        Self { target: target.clone(), push: false, from: None }
    }

    pub fn push(target: &Target) -> Self {
        Self { target: target.clone(), push: true, from: None }
    }

    pub fn mount(target: &Target, from: &str) -> Self {
        Self { target: target.clone(), push: true, from: Some(from.to_owned()) }
    }

    /// As the token services write it. What a challenge asks for besides is added: some have scopes of their own.
    fn scopes(&self, challenge: Option<&str>) -> Vec<String> {
        let actions = if self.push { "pull,push" } else { "pull" };
        let own = format!("repository:{}:", self.target.repository);
        let mut scopes = vec![format!("{own}{actions}")];
        scopes.extend(self.from.iter().map(|from| format!("repository:{from}:pull")));
        let others = challenge.unwrap_or_default().split_whitespace();
        for scope in others.filter(|scope| !scope.starts_with(&own)) {
            if !scopes.iter().any(|known| known == scope) {
                scopes.push(scope.to_owned());
            }
        }
        scopes
    }
}

/// The accounts, and what they have become.
#[derive(Debug)]
pub(super) struct Auth {
    accounts: BTreeMap<String, Account>,
    held: Mutex<BTreeMap<Access, Authorization>>,
    /// Held by who asks for a token, so that others wait for it instead of asking too.
    asking: tokio::sync::Mutex<()>,
}

/// One way to say who we are.
#[derive(Debug, PartialEq, Eq)]
enum Challenge {
    Basic,
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

/// The answer of a token service: one of the two names holds it.
#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl Auth {
    pub fn new(accounts: BTreeMap<String, Account>) -> Self {
        Self { accounts, held: Mutex::default(), asking: tokio::sync::Mutex::new(()) }
    }

    /// What is known to open this.
    pub fn current(&self, access: &Access) -> Option<Authorization> {
        self.held.lock().ok()?.get(access).cloned()
    }

    /// Answers the challenge of a registry that has refused `refused`. `plain` says whether an address may be spoken to
    /// without TLS.
    pub async fn renew(
        &self,
        http: &Http,
        access: &Access,
        refused: Option<&Authorization>,
        headers: &HeaderMap,
        plain: &dyn Fn(&Url) -> bool,
    ) -> Result<Authorization, Trouble> {
        let _turn = self.asking.lock().await;
        if let Some(newer) = self.current(access).filter(|held| Some(held) != refused) {
            return Ok(newer);
        }
        let account = access.target.account_names().into_iter().find_map(|name| self.accounts.get(name));
        let authorization = match best(challenges(headers), account) {
            Some(Challenge::Bearer { realm, service, scope }) => {
                let realm =
                    Url::parse(&realm).map_err(|_| Trouble::refused("the token service has no valid address"))?;
                if realm.scheme() != "https" && !plain(&realm) {
                    return Err(Trouble::refused(format!(
                        "its token service {} has no TLS, so no account is sent there",
                        authority(&realm)
                    )));
                }
                let scopes = access.scopes(scope.as_deref());
                let call = token_call(realm, service.as_deref(), &scopes, account);
                Authorization::Bearer(ask(http, &call, account, &access.target).await?)
            }
            Some(Challenge::Basic) => match account {
                Some(Account::Password { user, password }) if refused.is_none() => {
                    Authorization::Basic { user: user.clone(), password: password.clone() }
                }
                account => return Err(denied(&access.target, account)),
            },
            None => return Err(denied(&access.target, account)),
        };
        if let Ok(mut held) = self.held.lock() {
            held.insert(access.clone(), authorization.clone());
        }
        Ok(authorization)
    }
}

fn denied(target: &Target, account: Option<&Account>) -> Trouble {
    let detail = match account {
        None => format!("{} asks for an account, and none is known", target.registry),
        Some(Account::Password { .. }) => format!("{} refuses the user or the password", target.registry),
        Some(Account::Token(_)) => format!("{} takes no identity token", target.registry),
    };
    Trouble::Denied { detail, login: target.login() }
}

/// All challenges of an answer.
fn challenges(headers: &HeaderMap) -> Vec<Challenge> {
    let texts = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    let parsed = texts.filter_map(|text| http_auth::parse_challenges(text).ok()).flatten();
    parsed
        .filter_map(|challenge| {
            let parameter = |name: &str| {
                let found = challenge.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
                found.map(|(_, value)| value.to_unescaped())
            };
            if challenge.scheme.eq_ignore_ascii_case("basic") {
                Some(Challenge::Basic)
            } else if challenge.scheme.eq_ignore_ascii_case("bearer") {
                let (service, scope) = (parameter("service"), parameter("scope"));
                Some(Challenge::Bearer { realm: parameter("realm")?, service, scope })
            } else {
                None
            }
        })
        .collect()
}

/// A token, where there is a choice: it is worth less than a password. Without an account only a token helps.
fn best(challenges: Vec<Challenge>, account: Option<&Account>) -> Option<Challenge> {
    let usable = |challenge: &Challenge| *challenge != Challenge::Basic || account.is_some();
    challenges.into_iter().filter(usable).max_by_key(|challenge| *challenge != Challenge::Basic)
}

/// The request for a token: with an identity token by the way of OAuth 2, else by the older one.
fn token_call(mut realm: Url, service: Option<&str>, scopes: &[String], account: Option<&Account>) -> Call {
    if let Some(Account::Token(token)) = account {
        let mut form = Url::parse("form:").unwrap_or_else(|_| realm.clone());
        form.query_pairs_mut()
            .extend_pairs([("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", CLIENT)])
            .extend_pairs(service.map(|service| ("service", service)))
            .append_pair("scope", &scopes.join(" "));
        let body = Bytes::from(form.query().unwrap_or_default().to_owned());
        let call = Call::new(Method::POST, realm).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        return call.payload(Payload::Bytes(body));
    }
    realm
        .query_pairs_mut()
        .extend_pairs(service.map(|service| ("service", service)))
        .extend_pairs(scopes.iter().map(|scope| ("scope", scope)));
    Call::new(Method::GET, realm)
}

async fn ask(http: &Http, call: &Call, account: Option<&Account>, target: &Target) -> Result<String, Trouble> {
    let who = match account {
        Some(Account::Password { user, password }) => {
            Some(Authorization::Basic { user: user.clone(), password: password.clone() })
        }
        _ => None,
    };
    let answer = http.send(call, &call.url, who.as_ref()).await?;
    let host = answer.host();
    if answer.status() != StatusCode::OK {
        let status = answer.status();
        return Err(match answer.trouble(&target.login()).await {
            Trouble::Passing { detail, after } => Trouble::Passing { detail, after },
            // some token services answer 400 to a wrong password
            _ if status.is_client_error() => Trouble::Denied {
                detail: format!("the token service {host} answers {} for {}", status.as_u16(), target.registry),
                login: target.login(),
            },
            other => other,
        });
    }
    let body = answer.bytes(TOKEN_BODY).await?.unwrap_or_default();
    let token: Option<Token> = serde_json::from_slice(&body).ok();
    let token = token.and_then(|token| token.token.or(token.access_token)).filter(|token| !token.is_empty());
    token.ok_or_else(|| Trouble::refused(format!("the token service {host} answers without a token")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(values: &[&str]) -> Vec<Challenge> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, value.parse().unwrap());
        }
        challenges(&headers)
    }

    #[test]
    fn challenges_are_read() {
        let bearer = |service: Option<&str>, scope: Option<&str>| Challenge::Bearer {
            realm: "https://auth.example/token".into(),
            service: service.map(Into::into),
            scope: scope.map(Into::into),
        };
        let check = |values: &[&str], expect: Vec<Challenge>| assert_eq!(parsed(values), expect);
        check(&[], vec![]);
        check(&["Basic realm=\"x\""], vec![Challenge::Basic]);
        check(
            &["bearer realm=\"https://auth.example/token\",service=\"s\",scope=\"repository:a/b:pull,push\""],
            vec![bearer(Some("s"), Some("repository:a/b:pull,push"))],
        );
        check(
            &["Basic realm=\"x\"", "Bearer realm=\"https://auth.example/token\""],
            vec![Challenge::Basic, bearer(None, None)],
        );
        check(&["Negotiate", "Bearer service=\"no realm\""], vec![]);
    }

    #[test]
    fn a_token_is_preferred() {
        let both = || parsed(&["Bearer realm=\"https://a.example\"", "Basic realm=\"x\""]);
        let account = Account::Password { user: "u".into(), password: "p".into() };
        assert!(matches!(best(both(), Some(&account)), Some(Challenge::Bearer { .. })));
        assert_eq!(best(parsed(&["Basic realm=\"x\""]), Some(&account)), Some(Challenge::Basic));
        assert_eq!(best(parsed(&["Basic realm=\"x\""]), None), None);
    }

    #[test]
    fn scopes_hold_what_is_wanted_and_what_is_asked() {
        let target = Target { registry: "r.example".into(), repository: "a/b".into() };
        let check =
            |access: &Access, challenge: Option<&str>, expect: &[&str]| assert_eq!(access.scopes(challenge), expect);
        check(&Access::pull(&target), None, &["repository:a/b:pull"]);
        check(&Access::push(&target), Some("repository:a/b:pull"), &["repository:a/b:pull,push"]);
        check(&Access::mount(&target, "c"), None, &["repository:a/b:pull,push", "repository:c:pull"]);
        check(&Access::pull(&target), Some("aws"), &["repository:a/b:pull", "aws"]);
    }

    #[test]
    fn identity_tokens_stand_in_the_body() {
        let realm = || Url::parse("https://auth.example/token?x=1").unwrap();
        let scopes = ["repository:a:pull".to_owned()];
        let call = token_call(realm(), Some("s t"), &scopes, Some(&Account::Token("secret".into())));
        assert_eq!((call.method, call.url.as_str()), (Method::POST, "https://auth.example/token?x=1"));
        let Payload::Bytes(body) = call.payload else { panic!("a form") };
        let expect =
            "grant_type=refresh_token&refresh_token=secret&client_id=groupage&service=s+t&scope=repository%3Aa%3Apull";
        assert_eq!(body, expect);
        let call = token_call(realm(), Some("s"), &scopes, None);
        assert_eq!(call.url.as_str(), "https://auth.example/token?x=1&service=s&scope=repository%3Aa%3Apull");
    }
}
