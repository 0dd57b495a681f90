// For type-checking on Linux alone: see README.md.
public class LAContext {
    public init() {}
    public var interactionNotAllowed = false
}

public enum LAError {
    public static let errorDomain = "stub"
}
