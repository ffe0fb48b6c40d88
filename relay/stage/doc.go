// Package stage is what a room is besides its sound: its title, whether it is
// announced, live or ended, who hosts it, who may speak, who is muted or banned,
// whose hand is up, and what each command changes about that.
//
// A room's [State] is a small document. Its red root holds it, its blue root has a
// copy, and every host's client has one too, so it outlives any of them. [State.Apply]
// makes the next state of a state, somebody's rights and a [Command]; [Merge] makes
// one state of two that grew apart, in any order and any number of times, so
// that nobody has to know which one is right. Each field carries the [Stamp] of
// the command that set it: the later one stays.
//
// Rights stick to a subject (a token's "sub"), not to a connection: who comes back
// is who they were. [State.RoleOf] says what somebody is now; [Succeed] says who
// stands in for a host that is gone.
//
// [State.View] is what everybody may see of it. It has no list of hands and no
// subjects: a room of half a million is told of a raised hand by a number. [State.You]
// is what somebody is in it, for them alone.
//
// The package does no I/O, starts nothing and reads no clock.
package stage
