-- The sandbox's tables. Stamps are server-local texts of one width, so text order is time order.

CREATE TABLE IF NOT EXISTS metadata (
    class TEXT NOT NULL,
    uid TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (class, uid)
);
CREATE TABLE IF NOT EXISTS credential (
    username TEXT PRIMARY KEY,
    user_uid TEXT NOT NULL,
    salt BLOB NOT NULL,
    digest BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS token (
    digest BLOB PRIMARY KEY,
    username TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS data_store (
    namespace TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (namespace, key)
);
CREATE TABLE IF NOT EXISTS file_resource (
    uid TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    content BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS job (
    uid TEXT PRIMARY KEY,
    notifications TEXT NOT NULL,
    report TEXT
);
CREATE TABLE IF NOT EXISTS setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS entity (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    org_unit TEXT NOT NULL,
    inactive INTEGER NOT NULL,
    potential_duplicate INTEGER NOT NULL,
    geometry TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    created_at_client TEXT,
    updated_at_client TEXT,
    stored_by TEXT,
    created_by TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS attribute (
    entity TEXT NOT NULL,
    attribute TEXT NOT NULL,
    value TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    stored_by TEXT NOT NULL,
    PRIMARY KEY (entity, attribute)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS attribute_by_value ON attribute (attribute, value);

CREATE TABLE IF NOT EXISTS enrollment (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    entity TEXT NOT NULL,
    program TEXT NOT NULL,
    org_unit TEXT NOT NULL,
    status TEXT NOT NULL,
    enrolled_at TEXT NOT NULL,
    occurred_at TEXT,
    completed_at TEXT,
    completed_by TEXT,
    follow_up INTEGER NOT NULL,
    option_combo TEXT NOT NULL,
    geometry TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    created_at_client TEXT,
    updated_at_client TEXT,
    stored_by TEXT,
    created_by TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS enrollment_by_entity ON enrollment (entity, program);
CREATE INDEX IF NOT EXISTS enrollment_by_program ON enrollment (program, deleted);

CREATE TABLE IF NOT EXISTS event (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    enrollment TEXT,
    entity TEXT,
    program TEXT NOT NULL,
    stage TEXT NOT NULL,
    org_unit TEXT NOT NULL,
    status TEXT NOT NULL,
    occurred_at TEXT,
    scheduled_at TEXT,
    completed_at TEXT,
    completed_by TEXT,
    option_combo TEXT NOT NULL,
    category_options TEXT NOT NULL,
    assigned_user TEXT,
    geometry TEXT,
    data_values TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    created_at_client TEXT,
    updated_at_client TEXT,
    stored_by TEXT,
    created_by TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS event_by_enrollment ON event (enrollment);
CREATE INDEX IF NOT EXISTS event_by_program ON event (program, stage);

CREATE TABLE IF NOT EXISTS note (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    holder TEXT NOT NULL,
    value TEXT NOT NULL,
    stored_at TEXT NOT NULL,
    created_by TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS note_by_holder ON note (holder);

CREATE TABLE IF NOT EXISTS relationship (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    from_kind TEXT NOT NULL,
    from_uid TEXT NOT NULL,
    to_kind TEXT NOT NULL,
    to_uid TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    created_at_client TEXT,
    deleted INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS relationship_by_from ON relationship (from_uid);
CREATE INDEX IF NOT EXISTS relationship_by_to ON relationship (to_uid);

CREATE TABLE IF NOT EXISTS owner (
    entity TEXT NOT NULL,
    program TEXT NOT NULL,
    org_unit TEXT NOT NULL,
    PRIMARY KEY (entity, program)
) WITHOUT ROWID;
