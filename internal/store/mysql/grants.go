package mysql

import "strings"

// The names that a service's database user has unless told otherwise.
const (
	UserSynchronizer  = "padron_synchronizer"
	UserCustomersMngr = "padron_customers_mngr"
)

// Grant is what one service may do with one table.
type Grant struct {
	Table string
	// Privilege is SELECT, INSERT, UPDATE or DELETE.
	Privilege string
	// Columns are those it is for; none are all.
	Columns []string
	// Why says what needs it.
	Why string
}

// on is the privilege as GRANT and REVOKE write it, with its columns.
func (g *Grant) on() string {
	if len(g.Columns) == 0 {
		return g.Privilege
	}
	return g.Privilege + " (" + strings.Join(g.Columns, ", ") + ")"
}

// grants are the rights of each service's user, by its default name: all of
// them, and no others. Whoever adds a statement to the engine or a table to the
// migrations adds its right here; docs/grants.md is made from it. A new right on an
// old table wants a migration with it, if only an empty one: by that a rollback's
// older version knows that programs which need the right still run, and leaves it. MariaDB wants
// UPDATE of every column that an INSERT with ON DUPLICATE KEY UPDATE names, and a
// locking SELECT wants UPDATE of the table: hence whole tables in some places.
var grants = map[string][]Grant{
	UserSynchronizer: {
		{"goose_db_version", "SELECT", nil, "is the schema this version's?"},
		{"lease", "SELECT", nil, "who holds the lease, and the fence of each transaction"},
		{"lease", "UPDATE", nil, "take, renew and give back the lease; lock its row"},
		{"runs", "SELECT", nil, "runs that were interrupted; when one completed last"},
		{"runs", "INSERT", nil, "begin a run"},
		{"runs", "UPDATE", nil, "end a run"},
		{"checkpoint", "SELECT", nil, "go on where a run was stopped"},
		{"checkpoint", "INSERT", nil, "save the place with each batch"},
		{"checkpoint", "UPDATE", nil, "save the place with each batch"},
		{"checkpoint", "DELETE", nil, "a pass has ended"},
		{"checkpoint_seen", "SELECT", nil, "go on where a run was stopped"},
		{"checkpoint_seen", "INSERT", nil, "save what was seen with each batch"},
		{"checkpoint_seen", "DELETE", nil, "a pass has ended"},
		{"last_batch", "SELECT", nil, "was a batch committed whose answer was lost"},
		{"last_batch", "INSERT", nil, "say with each batch that it is there"},
		{"last_batch", "UPDATE", nil, "say with each batch that it is there"},
		{"division", "SELECT", nil, "is a divided run open, and what is its plan"},
		{"division", "INSERT", nil, "store the plan"},
		{"division", "UPDATE", nil, "give customer numbers; claim the plan to finish it"},
		{"division", "DELETE", nil, "the divided run has ended, or another one began"},
		{"division_part", "SELECT", nil, "go on where a partition was stopped; which are complete"},
		{"division_part", "INSERT", nil, "store the plan"},
		{"division_part", "UPDATE", nil, "save a partition's place with each batch; lock its row"},
		{"division_part", "DELETE", nil, "the divided run has ended, or another one began"},
		{"division_seen", "SELECT", nil, "what the partitions have seen"},
		{"division_seen", "INSERT", nil, "save what a partition has seen with each batch"},
		{"division_seen", "DELETE", nil, "the divided run has ended, or another one began"},
		{"customers", "SELECT", []string{"num", "id", "fingerprint", "deleted_at"}, "what is known, unchanged or gone; no sealed column, no profile"},
		{"customers", "INSERT", nil, "new and changed customers, by LOAD DATA LOCAL too"},
		{"customers", "UPDATE", []string{"deleted_at"}, "mark customers deleted"},
		{"customers", "DELETE", nil, "a changed customer is taken out and loaded anew, in one transaction"},
		{"quarantine", "SELECT", nil, "replay; how many wait, and since when"},
		{"quarantine", "INSERT", nil, "keep a rejected record"},
		{"quarantine", "UPDATE", nil, "the same fault again"},
		{"quarantine", "DELETE", nil, "the customer has arrived valid; the entry was not seen for long"},
		{"data_keys", "SELECT", nil, "wrapped data keys; KMS decides which it may unwrap"},
		{"data_keys", "INSERT", nil, "the data keys of a run"},
		{"data_keys", "UPDATE", []string{"messages"}, "count what a data key has sealed"},
	},
	UserCustomersMngr: {
		{"goose_db_version", "SELECT", nil, "is the schema this version's?"},
		{"customers", "SELECT", nil, "the sealed customers that it shows"},
		{"data_keys", "SELECT", nil, "wrapped data keys; KMS decides which it may unwrap"},
		{"data_keys", "INSERT", nil, "its page key, where padron keys init has not made it"},
		{"tokens", "SELECT", nil, "who calls: hashes of tokens"},
		{"audit", "SELECT", nil, "the chain's end; GET /v1/audit"},
		{"audit", "INSERT", nil, "an entry before each answer"},
		{"audit_turn", "SELECT", nil, "take turns at the chain's end"},
		{"audit_turn", "UPDATE", nil, "lock the turn's row, which it never writes"},
		{"runs", "SELECT", nil, "GET /v1/runs"},
		{"quarantine", "SELECT", []string{"id", "customer_id", "reasons", "run_id", "first_seen", "last_seen", "count", "key_id"},
			"GET /v1/quarantine; not the sealed records"},
	},
}
