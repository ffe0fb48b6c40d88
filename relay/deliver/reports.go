package deliver

import (
	"context"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/room"
)

// Reports is the part of the name space below which relays ask each other about
// rooms: FETCH of group 0 of .stentor/rooms/ROOM, track [ReportNode] or
// [ReportTree], [StateTrack] or [StageTrack], or of .stentor/rooms, track [ReportRooms], is answered with JSON
// as it is at that moment. It is no track that could be subscribed to.
const (
	Reports     protocol.Path = ".stentor/rooms"
	ReportNode  string        = "node"
	ReportTree  string        = "tree"
	ReportRooms string        = "rooms"
)

// report answers such a request; ok is false if it is none.
func (d *Deliver) report(ctx context.Context, req protocol.Fetch, w *session.GroupWriter) (ok bool, err error) {
	name, ok := req.Broadcast.TrimPrefix(Reports)
	if !ok {
		return false, nil
	}
	if err := d.started(ctx); err != nil {
		return true, err
	}
	_, isOrder := IsOrder(req.Track)
	known := req.Track == ReportNode || req.Track == ReportTree || req.Track == StageTrack || req.Track == StateTrack || isOrder
	if name == "" {
		known = req.Track == ReportRooms
	}
	if d.cfg.Report == nil || !known {
		return true, session.Refuse(protocol.CodeNotFound, "%v", room.ErrUnknown)
	}
	body, err := d.cfg.Report(ctx, string(name), req.Track)
	if err != nil {
		return true, err
	}
	return true, w.Write(protocol.Frame{Payload: body})
}
