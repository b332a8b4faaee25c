// Package access says who calls and what they may see.
//
// An [Authenticator] turns a bearer token into a [padron.Principal]. A [Policy]
// holds the answers of policies.cedar, the one place where it stands which role
// may call what and which fields it sees, masked or in full. What no policy
// permits is denied.
package access
