create extension postgis with schema public;
