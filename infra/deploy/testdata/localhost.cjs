// Resolves every name below localhost to this machine (RFC 6761, section 6.3),
// which not every system's resolver does: S3 puts the bucket before the host.
const dns = require("node:dns");
const lookup = dns.lookup;
dns.lookup = (host, ...rest) => lookup(host.endsWith(".localhost") ? "localhost" : host, ...rest);
