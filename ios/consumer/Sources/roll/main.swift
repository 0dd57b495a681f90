import Foundation
import RegistroKit

// A teacher calls the roll without a connection, and it is delivered when there is one.
let hub = CommandLine.arguments[1]
let today: IsoDate = "2026-11-23"
let folder = FileManager.default.temporaryDirectory.appendingPathComponent("roll-\(UUID().uuidString)")
// `development` lets a hub on this very machine do without https; the keys of a login are the platform's in an app.
let register = try await Registro.open(
    options: OpenOptions(directory: folder.appendingPathComponent("store").path, hub: hub, development: true),
    vault: fileVault(directory: folder.appendingPathComponent("keys").path),
    keys: memorySigningKeys(), secrets: memorySecretStore())
_ = try await register.logInForDevelopment(person: "D020")
_ = try await register.sync()
let teacher = register.teacher()

// Nobody answers there: the classroom without Wi-Fi.
try register.setHub(address: "https://127.0.0.1:9")
guard let lesson = try teacher.myDay(date: today).first(where: { $0.classCode == "3A" }),
    let absent = try teacher.classView(classCode: "3A", date: today).pupils.first
else { fatalError("no lesson") }
_ = try await teacher.callRoll(
    classCode: "3A", date: today, slot: lesson.slot, roll: RollCall(absent: [absent.pupil]))
let shown = try teacher.classView(classCode: "3A", date: today).pupils.filter { $0.day?.absent == true }
precondition(shown.map(\.pupil) == [absent.pupil] && shown[0].day?.pending == true, "the roll does not show")
print("assente: \(shown[0].name)")
do {
    _ = try await register.sync()
    fatalError("somebody answers")
} catch let error as RegistroError {
    print(error.failure.sentence())
}

try register.setHub(address: hub)
let report = try await register.sync()
precondition(report.confirmed == 1, "the roll is not delivered")
print("consegnato")
try FileManager.default.removeItem(at: folder)
