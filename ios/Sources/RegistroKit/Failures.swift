import Foundation

extension RegistroError {
    /// What went wrong: for the app, for the person and for the developer.
    public var failure: Failure {
        switch self {
        case .Failed(let failure): failure
        }
    }
}

extension Failure {
    /// The sentence for the person: in Italian where the device speaks Italian, otherwise in English.
    public func sentence(_ locale: Locale = .current) -> String {
        isItalian(locale) ? italian : english
    }
}

extension Says {
    /// What a fact says, in the language of the device: Italian, otherwise English.
    public func text(_ locale: Locale = .current) -> String {
        isItalian(locale) ? italian : english
    }
}

private func isItalian(_ locale: Locale) -> Bool {
    locale.identifier.split(whereSeparator: { $0 == "_" || $0 == "-" }).first == "it"
}
