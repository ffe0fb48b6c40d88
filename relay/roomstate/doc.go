// Package roomstate keeps what rooms are ([stage.State]) at a relay, and has the
// relays of a network agree on it.
//
// A room's roots hold its state: commands are applied there ([Rooms.Apply]). Every
// relay that takes part follows both ([Config].Follow), merges what it hears, and
// shows what it holds to whoever follows it ([Rooms.Mirror]): first all of it, then
// what changes. Whoever holds something that the one it follows has not shown says
// so (the signal [Ahead]) and is asked for it. As merging knows no order, nobody
// has to know who is right: a state outlives its roots as long as any relay that
// takes part has it, or a host's client offers its copy ([Rooms.Offer]), and two
// halves of a network that was split become one again.
//
// The red root also does what time brings: it begins a room at its announced hour,
// and finds who stands in for a host that is gone.
//
// A Rooms knows no sockets: sessions come in by its Config.
package roomstate
