import Foundation

/// A real hub with the sample school, in a process of its own that ends with this one.
///
/// `REGISTRO_HUB_BIN` names the program, `REGISTRO_TEST_DATA` the folder of the school's files.
final class HubProcess {
    /// Where it listens, such as `http://127.0.0.1:40123`.
    let address: String

    private let process: Process
    // Its standard input is a pipe of ours: it closes when this process ends, however it ends.
    private let input: Pipe
    private let folder: URL

    /// Imports the school and serves it; `clock` is where the hub's clock stands, an RFC 3339 instant.
    init(clock: String = "2026-11-23T07:30:00+01:00") throws {
        let program = URL(fileURLWithPath: try Self.variable("REGISTRO_HUB_BIN"))
        let files = try Self.variable("REGISTRO_TEST_DATA")
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("registro-hub-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        do {
            let importing = Process()
            importing.executableURL = program
            importing.arguments = ["import", files, "--data", folder.path]
            let importLog = try Self.log(folder, "import.log")
            importing.standardOutput = importLog
            importing.standardError = importLog
            try importing.run()
            importing.waitUntilExit()
            guard importing.terminationStatus == 0 else {
                throw HubFailure(reason: "the import failed: \(Self.text(folder, "import.log"))")
            }

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
            process.standardError = try Self.log(folder, "serve.log")
            try process.run()
            guard let address = Self.address(from: output) else {
                process.terminate()
                throw HubFailure(reason: "the hub does not serve: \(Self.text(folder, "serve.log"))")
            }
            self.address = address
            self.process = process
            self.input = input
            self.folder = folder
        } catch {
            try? FileManager.default.removeItem(at: folder)
            throw error
        }
    }

    /// Stops the hub and removes its data.
    func stop() {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
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

    private static func log(_ folder: URL, _ name: String) throws -> FileHandle {
        let file = folder.appendingPathComponent(name)
        FileManager.default.createFile(atPath: file.path, contents: nil)
        return try FileHandle(forWritingTo: file)
    }

    private static func text(_ folder: URL, _ name: String) -> String {
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
