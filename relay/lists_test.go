package relay

import (
	"fmt"
	"testing"
	"time"
)

func TestListsAreMadeOnce(t *testing.T) {
	var l lists
	made := 0
	list := func() []byte {
		made++
		return fmt.Append(nil, made)
	}
	town := listKey{room: "town", listens: true, share: 3, state: Ready}
	began := time.Now()
	for i, step := range []struct {
		key     listKey
		version uint64
		after   time.Duration
		want    string
	}{
		{town, 7, 0, "1"},
		{town, 7, time.Millisecond, "1"},
		{listKey{room: "town", listens: true, share: 4, state: Ready}, 7, 0, "2"},
		{listKey{room: "town", share: 3, state: Ready}, 7, 0, "3"},
		{listKey{room: "hall", listens: true, share: 3, state: Ready}, 7, 0, "4"},
		{listKey{room: "town", listens: true, share: 3, state: Draining}, 7, 0, "5"},
		{town, 7, listsFor - 1, "1"},
		{town, 8, listsFor - 1, "6"}, // the directory has changed
		{town, 8, 2*listsFor - 2, "6"},
		{town, 8, 2*listsFor - 1, "7"}, // what is not announced may have
	} {
		if got := string(l.get(step.key, step.version, began.Add(step.after), list)); got != step.want {
			t.Errorf("step %d: list %s, want %s", i, got, step.want)
		}
	}
}
