package deliver

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

// writeDocument sends one of the documents that this relay itself writes: a list, a
// plan, the state of a room, each whole in a group of one frame. The peer waits for
// it however long it has no stream to spare, and may stop it: the next one is
// another group. Whoever takes none of it for frameFor is told that this is over, asks
// anew, and loses nothing but time.
func writeDocument(ctx context.Context, sub *session.Subscriber, sequence uint64, b []byte) error {
	w, err := openGroup(ctx, sub, sequence, math.MaxInt64)
	if err == nil {
		w.SetDeadline(time.Now().Add(frameFor))
		if err = w.Write(protocol.Frame{Timestamp: uint64(time.Now().UnixMilli()), Payload: b}); err == nil {
			w.Close()
			return nil
		}
		w.Cancel(session.CodeOf(err))
	}
	var stopped *session.ResetError
	if errors.As(err, &stopped) && stopped.Remote {
		return nil
	}
	return err
}
