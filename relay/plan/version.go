package plan

import (
	"fmt"
	"slices"
	"strings"
)

// A Version orders the plans of a room, whoever wrote them. The keeper of a room
// counts its plans by Sequence; who takes over from it, or starts anew, opens
// the next Epoch.
//
// After a split two relays may have opened the same epoch. Then every plan of
// the one whose name comes last is newer than every plan of the other, so that
// nobody goes back and forth between them.
type Version struct {
	Epoch    uint64
	Keeper   string // the relay that wrote it
	Sequence uint64
}

// Compare is negative if v is older than w, positive if it is newer, and zero if
// they are the same.
func (v Version) Compare(w Version) int {
	switch {
	case v.Epoch != w.Epoch:
		return sign(v.Epoch < w.Epoch)
	case v.Keeper != w.Keeper:
		return strings.Compare(v.Keeper, w.Keeper)
	case v.Sequence != w.Sequence:
		return sign(v.Sequence < w.Sequence)
	}
	return 0
}

// Newer reports whether v is newer than w.
func (v Version) Newer(w Version) bool { return v.Compare(w) > 0 }

func (v Version) String() string {
	return fmt.Sprintf("%d.%d@%s", v.Epoch, v.Sequence, v.Keeper)
}

func sign(less bool) int {
	if less {
		return -1
	}
	return 1
}

// Replaces says whether p may take the place of the plan held of a room, which
// may be nil: it fails with ErrRoom if it is another room's and with ErrOld if
// it is not newer.
func (p *Plan) Replaces(held *Plan, room string) error {
	switch {
	case p.room != room:
		return fmt.Errorf("plan: %w: %.40q", ErrRoom, p.room)
	case held != nil && !p.version.Newer(held.version):
		return fmt.Errorf("plan: %w: %v, held is %v", ErrOld, p.version, held.version)
	}
	return nil
}

// TakeOver returns the plan as another relay goes on keeping it, in the next
// epoch and without the dead, and the relays whose parents changed. There are
// two occasions:
//
//   - The red root has died. The blue root takes over and names it dead. The
//     blue tree keeps its root; in the red tree the dead one's place is taken
//     as in Leave, so only one tree moves.
//   - A relay finds itself red root of a plan that another wrote, because the
//     root before it left or died. It takes over with nobody dead: the same
//     trees, nobody moves.
//
// So whoever is red root ends up as the keeper, and until it knows, the blue
// root does its work. Dead relays that are not in the plan are passed over. It
// fails with ErrUnknown if the keeper is not in the plan or is among the dead.
func (p *Plan) TakeOver(keeper string, dead ...string) (*Plan, []string, error) {
	if slices.Contains(dead, keeper) || !p.Has(keeper) {
		return nil, nil, fmt.Errorf("plan: take over: %w: %q", ErrUnknown, keeper)
	}
	q := p.next()
	for _, name := range dead {
		if at, ok := q.find(name); ok {
			q.remove(at)
		}
	}
	q.version = Version{Epoch: p.version.Epoch + 1, Keeper: keeper}
	return q, Moved(p, q), nil
}
