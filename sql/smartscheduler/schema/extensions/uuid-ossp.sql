create extension "uuid-ossp" with schema public;
