package stage

import "errors"

// Why a command changes nothing. The word in brackets is the code that HTTP
// answers with.
var (
	// ErrNotAllowed: the actor's role does not suffice (not_allowed).
	ErrNotAllowed = errors.New("not allowed")
	// ErrBanned: the actor is banned from the room (banned).
	ErrBanned = errors.New("banned from this room")
	// ErrUnknown: there is no such room, or nobody of that name in it (not_found).
	ErrUnknown = errors.New("not found")
	// ErrExists: the room is there already (exists).
	ErrExists = errors.New("exists already")
	// ErrEnded: the room has ended, for good (ended).
	ErrEnded = errors.New("the room has ended")
	// ErrOutdated: the room has changed since the version that the command names
	// (outdated).
	ErrOutdated = errors.New("the room has changed meanwhile")
	// ErrLastHost: nobody would be left who may undo it (last_host).
	ErrLastHost = errors.New("the room's last host")
	// ErrFull: more people, hands or speakers on the stage than a room holds
	// (full).
	ErrFull = errors.New("full")
	// ErrMalformed: a command or a document that is none (bad_request).
	ErrMalformed = errors.New("malformed")
)
