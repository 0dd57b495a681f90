import Foundation
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// The browser part of a login, by HTTP: cookies, redirects, forms. On a phone it is `ASWebAuthenticationSession`; the
/// pages themselves are tested in a real browser elsewhere (`cargo xtask peers`).
final class LoginBrowser: NSObject, URLSessionTaskDelegate, @unchecked Sendable {
    /// Where the app's redirect address begins: what goes there is not opened.
    private let callback: String
    private var address = URL(fileURLWithPath: "/")
    private var cookies: [String: String] = [:]
    /// The text of the last page.
    private(set) var page = ""

    init(callback: String) {
        self.callback = callback
    }

    // Cookies and redirects are seen to by hand: what Foundation does with them differs between platforms.
    private lazy var session: URLSession = {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpShouldSetCookies = false
        configuration.httpCookieAcceptPolicy = .never
        return URLSession(configuration: configuration, delegate: self, delegateQueue: nil)
    }()

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    /// Opens an address; gives the app's address once the browser is sent there.
    func open(_ url: String) async throws -> String? {
        guard let url = URL(string: url) else { throw BrowserFailure(reason: "no address") }
        return try await go(URLRequest(url: url))
    }

    /// Fills in the form of the page that has all these fields, presses the button that has this value (the first one
    /// if nil), and goes on as `open` does.
    func submit(_ values: [String: String], button: String? = nil) async throws -> String? {
        let form = forms().first { form in
            values.keys.allSatisfy { form.fields[$0] != nil }
                && (button == nil || form.buttons.contains { $0.value == button })
        }
        guard let form else { throw BrowserFailure(reason: "no form with \(values.keys) at \(address): \(page)") }
        var all = form.fields.merging(values) { _, new in new }
        if let pressed = form.buttons.first(where: { button == nil || $0.value == button }) {
            all[pressed.name] = pressed.value
        }
        guard let target = URL(string: form.action, relativeTo: address)?.absoluteURL else {
            throw BrowserFailure(reason: "no address")
        }
        var request = URLRequest(url: target)
        request.httpMethod = "POST"
        request.setValue("application/x-www-form-urlencoded", forHTTPHeaderField: "Content-Type")
        let port = address.port.map { ":\($0)" } ?? ""
        request.setValue("\(address.scheme ?? "")://\(address.host ?? "")\(port)", forHTTPHeaderField: "Origin")
        let body = all.map { "\(Self.encoded($0.key))=\(Self.encoded($0.value))" }.joined(separator: "&")
        request.httpBody = Data(body.utf8)
        return try await go(request)
    }

    private func go(_ first: URLRequest) async throws -> String? {
        var request = first
        for _ in 0..<20 {
            request.setValue("it", forHTTPHeaderField: "Accept-Language")
            if !cookies.isEmpty {
                let pairs = cookies.map { "\($0.key)=\($0.value)" }.joined(separator: "; ")
                request.setValue(pairs, forHTTPHeaderField: "Cookie")
            }
            let (data, answer) = try await loaded(request)
            address = request.url ?? address
            page = String(decoding: data, as: UTF8.self)
            let fields = answer.allHeaderFields as? [String: String] ?? [:]
            for cookie in HTTPCookie.cookies(withResponseHeaderFields: fields, for: address) {
                let gone = cookie.value.isEmpty || (cookie.expiresDate.map { $0 < Date(timeIntervalSince1970: 1) } ?? false)
                cookies[cookie.name] = gone ? nil : cookie.value
            }
            guard let next = answer.value(forHTTPHeaderField: "Location") else { return nil }
            if next.hasPrefix(callback) { return next }
            guard let url = URL(string: next, relativeTo: address)?.absoluteURL else {
                throw BrowserFailure(reason: "no address")
            }
            request = URLRequest(url: url)
        }
        throw BrowserFailure(reason: "the redirects do not end")
    }

    private func loaded(_ request: URLRequest) async throws -> (Data, HTTPURLResponse) {
        try await withCheckedThrowingContinuation { continuation in
            let task = session.dataTask(with: request) { data, response, error in
                if let response = response as? HTTPURLResponse {
                    continuation.resume(returning: (data ?? Data(), response))
                } else {
                    continuation.resume(throwing: error ?? BrowserFailure(reason: "no answer"))
                }
            }
            task.resume()
        }
    }

    private struct Form {
        var action = ""
        var fields: [String: String] = [:]
        var buttons: [(name: String, value: String)] = []
    }

    private func forms() -> [Form] {
        matches("<form\\b([^>]*)>(.*?)</form>", in: page).map { parts in
            var form = Form()
            form.action = attribute("action", of: parts[0]) ?? ""
            for input in matches("<input\\b([^>]*)>", in: parts[1]) {
                let kind = attribute("type", of: input[0]) ?? "text"
                let chosen = !["checkbox", "radio", "submit"].contains(kind) || input[0].contains("checked")
                if chosen, let name = attribute("name", of: input[0]) {
                    form.fields[name] = attribute("value", of: input[0]) ?? ""
                }
            }
            for button in matches("<button\\b([^>]*)>", in: parts[1]) {
                if let name = attribute("name", of: button[0]) {
                    form.buttons.append((name, attribute("value", of: button[0]) ?? ""))
                }
            }
            return form
        }
    }

    /// The groups of each match.
    private func matches(_ pattern: String, in text: String) -> [[String]] {
        guard let expression = try? NSRegularExpression(pattern: pattern, options: [.dotMatchesLineSeparators]) else {
            return []
        }
        let whole = NSRange(text.startIndex..., in: text)
        return expression.matches(in: text, range: whole).map { match in
            (1..<match.numberOfRanges).map { index in
                Range(match.range(at: index), in: text).map { String(text[$0]) } ?? ""
            }
        }
    }

    private func attribute(_ name: String, of tag: String) -> String? {
        let found = matches("(?:^|\\s)\(name)=\"([^\"]*)\"", in: tag).first?.first
        return found?.replacingOccurrences(of: "&#38;", with: "&").replacingOccurrences(of: "&amp;", with: "&")
    }

    private static func encoded(_ text: String) -> String {
        let plain = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-._~"))
        return text.addingPercentEncoding(withAllowedCharacters: plain) ?? ""
    }
}

/// Why the browser could not go on.
struct BrowserFailure: Error {
    let reason: String
}
