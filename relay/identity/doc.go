// Package identity holds what makes a relay the same relay after a restart: its
// certificate, the two keys its QUIC packets depend on, and its hop id. They
// live in the data directory; without one everything is made anew each time.
//
//   - [SelfSigned] makes a certificate short-lived enough for browsers to pin,
//     and replaces it before it runs out; [FromFiles] follows a certificate that
//     somebody else renews;
//   - [StatelessResetKey] lets a restarted relay tell the peers of its former
//     life at once that their sessions are gone, instead of leaving them to
//     their idle timeout;
//   - [TokenGeneratorKey] keeps address validation tokens good across a restart,
//     when everybody comes back in the same second;
//   - [HopID] is the relay's name in announcements, by which loops are seen.
//
// The package starts no goroutine: certificates are looked after when they are
// asked for.
package identity
