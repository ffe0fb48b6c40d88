// Package token decides who may publish and subscribe where: JSON Web Tokens
// with the claims of moq-token, so that tokens and keys of either program work
// with the other.
//
//	keys, err := token.Load("/etc/stentor/keys") // a JWK file, or a folder of <kid>.jwk
//	grant, err := keys.Verify(jwt, "/town-hall", time.Now())
//
// A token names a root and, below it, paths that may be published (put) and
// subscribed (get). [Keys.Verify] checks the signature, the expiry and the
// ceiling of the key, and answers with a [Grant]: prefixes relative to the path
// the session was opened on. [Match] is that last step alone.
//
// On top of moq-token's claims ride role, name and sub, which say who somebody
// is in a room; they are no permission to publish or subscribe.
//
// The package holds keys in memory and reads files when told to. It opens no
// socket, starts no goroutine and takes the time from its caller.
package token
