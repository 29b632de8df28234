"""The pages a respondent sees. GET shows, POST stores; nothing else does."""
