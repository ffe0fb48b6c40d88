package deliver

import (
	"context"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/room"
)

// Operate is the name below which an operator's command reaches another relay
// than the one it was given to: FETCH of track [OperateDrain], the group being the
// deadline in milliseconds, or of group 0 of [OperateUndrain]. The answer is JSON
// and comes when the command is done.
const (
	Operate        protocol.Path = ".stentor/operate"
	OperateDrain   string        = "drain"
	OperateUndrain string        = "undrain"
)

// operate answers such a request; ok is false if it is none.
func (d *Deliver) operate(ctx context.Context, req protocol.Fetch, w *session.GroupWriter) (ok bool, err error) {
	if req.Broadcast != Operate {
		return false, nil
	}
	if err := d.started(ctx); err != nil {
		return true, err
	}
	if d.cfg.Operate == nil || req.Track != OperateDrain && req.Track != OperateUndrain {
		return true, session.Refuse(protocol.CodeNotFound, "%v", room.ErrUnknown)
	}
	body, err := d.cfg.Operate(req.Track, req.Group)
	if err != nil {
		return true, err
	}
	return true, w.Write(protocol.Frame{Payload: body})
}
