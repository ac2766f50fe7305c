#escape=x
FROM a
