package plan

import "errors"

// What can be wrong with a plan, or with what is asked of one. A plan cannot
// say a loop: a relay's parents stand before it in the array. What would make one,
// the same name at two places or a degree that makes an entry its own parent, is
// [ErrTwice] or [ErrDegree].
var (
	// ErrMalformed is bytes that are no plan: cut short, followed by others, or
	// with a value that Encode would not write.
	ErrMalformed = errors.New("malformed")

	// ErrTooBig is a plan of more than MaxRelays relays or MaxSize bytes.
	ErrTooBig = errors.New("too big")

	// ErrName is a room, zone or relay whose name is longer than MaxName bytes or
	// not UTF-8, or empty (which a zone's may be).
	ErrName = errors.New("bad name")

	// ErrDegree is a degree outside MinDegree to MaxDegree.
	ErrDegree = errors.New("degree out of range")

	// ErrTwice is a relay or zone that is named twice.
	ErrTwice = errors.New("named twice")

	// ErrUnknown is a relay that is not in the plan.
	ErrUnknown = errors.New("unknown relay")

	// ErrRoots is a plan without two roots where there could be two: no relay at
	// all, roots said to be in two zones of which there is one, or in a zone of
	// one relay.
	ErrRoots = errors.New("roots are not in the plan")

	// ErrDeep is a plan in which a relay is more than MaxDepth hops from a root.
	ErrDeep = errors.New("too deep")

	// ErrRoom is a plan of another room than the one that was asked for.
	ErrRoom = errors.New("plan of another room")

	// ErrOld is a plan that does not supersede the one held.
	ErrOld = errors.New("not newer than the plan held")

	// ErrLast is the last relay about to leave: a plan of nobody is no plan.
	ErrLast = errors.New("last relay")

	// ErrOtherRoot is a relay that is to be the root of both colours.
	ErrOtherRoot = errors.New("already the other root")
)
