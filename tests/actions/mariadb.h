/* A real MariaDB server for a test program, from the system's package. */
#ifndef DRCTL_TESTS_ACTIONS_MARIADB_H
#define DRCTL_TESTS_ACTIONS_MARIADB_H

/* A password with everything in it that an option file could trip over. */
#define MARIADB_PASSWORD "p\"a'ss#w\\ord ;=%é"

/* cmocka's setup and teardown of a group: starts a server on a port of its own, with a user `drctl`
 * who may do everything and has that password, and stops it. */
int mariadb_up(void **state);
int mariadb_down(void **state);

int mariadb_port(void);

/* Statements as root; what they print, in the client's batch form. The caller frees it. */
char *mariadb_do(const char *statements);

#endif
