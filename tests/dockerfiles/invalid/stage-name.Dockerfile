FROM a AS 1st
FROM a AS a$b
