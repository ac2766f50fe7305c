RUN true
FROM a
