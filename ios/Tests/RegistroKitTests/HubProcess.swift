import Foundation

/// A real hub with the sample school, in a process of its own that ends with this one.
///
/// `REGISTRO_HUB_BIN` names the program, `REGISTRO_TEST_DATA` the folder of the school's files.
final class HubProcess {
    /// Where it listens, such as `http://127.0.0.1:40123`. Another one after each `start`.
    private(set) var address = ""

    private let program: URL
    private let clock: String
    private let folder: URL
    // Its standard input is a pipe of ours: it closes when this process ends, however it ends.
    private var running: (process: Process, input: Pipe)?

    /// Imports the school and serves it; `clock` is where the hub's clock stands, an RFC 3339 instant.
    init(clock: String = "2026-11-23T07:30:00+01:00") throws {
        program = URL(fileURLWithPath: try Self.variable("REGISTRO_HUB_BIN"))
        self.clock = clock
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("registro-hub-\(UUID().uuidString)")
        let files = try Self.variable("REGISTRO_TEST_DATA")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        do {
            try importSchool(files)
            try start()
        } catch {
            try? FileManager.default.removeItem(at: folder)
            throw error
        }
    }

    private func importSchool(_ files: String) throws {
        let importing = Process()
        importing.executableURL = program
        importing.arguments = ["import", files, "--data", folder.path]
        let log = try log("import.log")
        importing.standardOutput = log
        importing.standardError = log
        try importing.run()
        importing.waitUntilExit()
        guard importing.terminationStatus == 0 else {
            throw HubFailure(reason: "the import failed: \(text("import.log"))")
        }
    }

    /// Serves what was imported, and what devices sent before `stop`.
    func start() throws {
        let process = Process()
        process.executableURL = program
        process.arguments = [
            "serve", "--data", folder.path, "--listen", "127.0.0.1:0",
            "--dev-login", "--clock", clock, "--until-stdin-closes",
        ]
        let input = Pipe()
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        process.standardError = try log("serve.log")
        try process.run()
        guard let address = Self.address(from: output) else {
            process.terminate()
            throw HubFailure(reason: "the hub does not serve: \(text("serve.log"))")
        }
        self.address = address
        running = (process, input)
    }

    /// The office issues the school's credentials to the person of this code, who sets a password on the hub's page.
    func firstAccess(_ code: String) async throws -> (username: String, password: String) {
        _ = try command(["credentials", "until", "2027-06-30"])
        let lines = try command(["credentials", "issue", "--person", code]).split(separator: "\n")
        let issued = lines[1].split(separator: ";", omittingEmptySubsequences: false).map(String.init)
        let files = URL(fileURLWithPath: try Self.variable("REGISTRO_TEST_DATA"))
        let staff = try String(contentsOf: files.appendingPathComponent("docenti.csv"), encoding: .utf8)
        let row = staff.split(separator: "\n").first { $0.hasPrefix("\(code);") } ?? ""
        let email = row.split(separator: ";", omittingEmptySubsequences: false).map(String.init)[6]
        let password = "sette gatti verdi \(code)"
        let browser = LoginBrowser(callback: "no-app:")
        _ = try await browser.open("\(address)/first-access")
        _ = try await browser.submit(["code": issued[2]])
        _ = try await browser.submit(["password": password, "again": password, "email": email])
        return (issued[1], password)
    }

    private func command(_ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments + ["--data", folder.path, "--clock", clock]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = try log("command.log")
        try process.run()
        let said = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw HubFailure(reason: text("command.log")) }
        return String(decoding: said, as: UTF8.self)
    }

    /// Nobody reaches it any more, until `start`.
    func stop() {
        guard let (process, input) = running else { return }
        running = nil
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(at: folder)
    }

    private static func address(from output: Pipe) -> String? {
        var line = Data()
        while !line.contains(UInt8(ascii: "\n")) {
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { return nil }
            line.append(more)
        }
        let text = String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        let prefix = "listening on "
        return text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : nil
    }

    private func log(_ name: String) throws -> FileHandle {
        let file = folder.appendingPathComponent(name)
        FileManager.default.createFile(atPath: file.path, contents: nil)
        return try FileHandle(forWritingTo: file)
    }

    private func text(_ name: String) -> String {
        (try? String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)) ?? ""
    }

    private static func variable(_ name: String) throws -> String {
        let value = ProcessInfo.processInfo.environment[name] ?? ""
        guard FileManager.default.fileExists(atPath: value) else {
            throw HubFailure(reason: "\(name) names nothing: run `cargo xtask swift`")
        }
        return value
    }
}

/// Why the hub does not serve.
struct HubFailure: Error {
    let reason: String
}
