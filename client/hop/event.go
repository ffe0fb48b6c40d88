package hop

import "time"

// Frame is the unit in which sequences count.
const Frame = 20 * time.Millisecond

// A Session names one attempt to reach a relay and the session that comes of
// it. The machine gives the numbers, from 1 and each once.
type Session uint32

// A Track names one speaker's voice, the same on every session that has it. The
// caller gives the numbers, from 1 and a new one to a speaker who starts over.
type Track int32

// Tick stands for the track by which a relay says that it is still there
// (docs/wire.md, section 14.6).
const Tick Track = 0

// An EventKind says what happened; its comment names the fields of [Event] that
// go with it, beside Session where there is one.
type EventKind uint8

// The events. Those about a session that the machine has closed are ignored, so
// a caller need not cancel what is under way.
const (
	Now            EventKind = iota // nothing but time passed
	Candidates                      // Candidates: the relays there are, best first
	Dialled                         // Ticks: the session of a Dial is up
	DialFailed                      // Final: it will not be
	Closed                          // a session ended, not by an effect
	Announced                       // Track: the session has it, so it may be subscribed to
	Ended                           // Track: the session has it no more
	Arrived                         // Track, Sequence, Frames, Timestamp: a group came
	Ticked                          // a group of Tick came
	Goaway                          // Cause (Drain or Load), URIs, Within: the relay asks to leave
	NetworkChanged                  // the local address is gone
	Better                          // Name: that candidate would serve better; empty: none would
	SetCold                         // Cold: whether to do without a connected standby
	Gone                            // the session's relay is said to be gone, by another one
	Withheld                        // Track, of no session: no relay sends the frames to come to listeners
	eventKinds
)

var eventNames = [eventKinds]string{"now", "candidates", "dialled", "dial-failed", "closed", "announced", "ended",
	"arrived", "ticked", "goaway", "network-changed", "better", "set-cold", "gone", "withheld"}

// String is the kind as the table of cases writes it.
func (k EventKind) String() string { return nameOf(eventNames[:], int(k)) }

// An Event is what a caller tells a [Machine] or a [Pair]. Which fields count
// depends on Kind.
type Event struct {
	Kind    EventKind
	Session Session
	Track   Track

	// A group: the sequence of its first frame, how many it has room for (1, 3
	// or 6), and the media time of the first.
	Sequence  uint64
	Frames    int
	Timestamp time.Duration

	// Ticks says that the relay sends ticks: one that has introduced itself as
	// Stentor. Without them silence of the line proves nothing.
	Ticks bool

	// Final says that the relay will never take this client.
	Final bool

	// A GOAWAY: why, whereto, and how soon the session will be closed (0:
	// unknown). A URI counts only if it is that of a candidate.
	Cause  Cause
	URIs   []string
	Within time.Duration

	Candidates []Candidate
	Name       string
	Cold       bool
}

// An EffectKind says what to do; its comment names the fields of [Effect] that
// go with it.
type EffectKind uint8

// The effects.
const (
	Dial        EffectKind = iota // Session, Candidate: connect, then say Dialled or DialFailed
	Subscribe                     // Session, Track, Start, Resume
	Unsubscribe                   // Session, Track
	Close                         // Session, Cause: end it, or the attempt
	AskLobby                      // fetch a list of candidates, if there is a lobby
	Hopped                        // Session (the new one), From, To, Cause, Took: a hop is done
	effectKinds
)

var effectNames = [effectKinds]string{"dial", "subscribe", "unsubscribe", "close", "ask-lobby", "hopped"}

// String is the kind as the table of cases writes it.
func (k EffectKind) String() string { return nameOf(effectNames[:], int(k)) }

// An Effect is what the caller is to do. Effects are to be carried out in order
// and must not be waited for.
type Effect struct {
	Kind      EffectKind
	Session   Session
	Candidate Candidate

	Track Track
	// Start is the first frame wanted, if Resume; otherwise the newest is. A
	// group of several frames is asked for that has Start among them.
	Start  uint64
	Resume bool

	Cause    Cause
	From, To string // names of candidates
	// Took is the time from when the cause was noticed until the new session
	// first brought something.
	Took time.Duration
}

// A Cause is why a relay is left.
type Cause uint8

// The causes. CauseNone is for a session that is not needed any more.
const (
	CauseNone    Cause = iota
	CauseDrain         // the relay leaves, and said so
	CauseLoad          // the relay has too many, and said so
	CauseClosed        // the session ended
	CauseSilence       // what was to come over it did not
	CauseNetwork       // this end's address changed
	CauseBetter        // another relay serves better
	causes
)

var causeNames = [causes]string{"", "drain", "load", "closed", "silence", "network", "better"}

// String is the word that statistics show.
func (c Cause) String() string { return nameOf(causeNames[:], int(c)) }

func nameOf(names []string, i int) string {
	if i >= len(names) {
		return "unknown"
	}
	return names[i]
}
